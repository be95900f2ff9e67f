"""The options of `switchboard broadcast`. What each command does lives in `broadcast`."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

broadcast = typer.Typer(no_args_is_help=True, help="One message to many: start, watch, stop, resume.", rich_markup_mode=None)

ProjectOption = Annotated[Path | None, typer.Option("--project", "-p", help="Folder of the project.", show_default=False)]
DatabaseOption = Annotated[
    str | None,
    typer.Option("--database", help="sqlite:///file.db or postgresql://... Default: SWITCHBOARD_DATABASE_URL.", show_default=False),
]
NameArgument = Annotated[str, typer.Argument(help="Name of the broadcast.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
WatchOption = Annotated[bool, typer.Option("--watch", help="Stay, and show how far it is, until it is done.")]


def _opening(project: Path | None, database: str | None) -> Any:
    """Opens what a broadcast needs: database, channels and project, without a bot."""

    def opened() -> AbstractAsyncContextManager[Any]:
        from bot.deployment import open_deployment
        from bot.settings import Settings

        from .projects import find_project

        return open_deployment(Settings.read(database_url=database), find_project(project), takes_turns=False)

    return opened


@broadcast.command("start")
def start(
    file: Annotated[Path, typer.Argument(help="CSV file: number, language, agreed, and the values of the message.")],
    business: Annotated[str, typer.Option("--from", help="The operator's number or address it is sent from.")],
    name: Annotated[str, typer.Option(help="Name of the broadcast, used once. Default: made up.", show_default=False)] = "",
    response: Annotated[str, typer.Option(help="Response of the project to send.", show_default=False)] = "",
    text: Annotated[
        list[str] | None, typer.Option(help="Text in a language: 'en=...'; once for each language.", show_default=False)
    ] = None,
    template: Annotated[
        list[str] | None, typer.Option(help="Approved template in a language: 'en=HX...'; once for each language.", show_default=False)
    ] = None,
    purpose: Annotated[str, typer.Option(help="notify or marketing.")] = "notify",
    channel: Annotated[str, typer.Option(help="Channel, if several are configured.", show_default=False)] = "",
    rate: Annotated[float | None, typer.Option(help="Segments a second. Default: what the channel can.", show_default=False)] = None,
    at: Annotated[str, typer.Option(help="When to begin, e.g. 2026-03-05T09:00. Default: now.", show_default=False)] = "",
    region: Annotated[str, typer.Option(help="Country of numbers written without one, e.g. KR.", show_default=False)] = "",
    check: Annotated[bool, typer.Option("--check", help="Only look at the file; send nothing.")] = False,
    most_bad: Annotated[int, typer.Option(help="How many wrong lines are left out without asking.")] = 20,
    force: Annotated[bool, typer.Option("--force", help="Leave out any number of wrong lines.")] = False,
    watch: WatchOption = False,
    json: JsonOption = False,
    project: ProjectOption = None,
    database: DatabaseOption = None,
) -> None:
    """Plans a message to everybody in a file; senders send it at a rate the provider takes, by day where the customers are."""
    from .broadcast import StartOptions, run_start

    options = StartOptions(
        file=file,
        business=business,
        name=name,
        response=response,
        texts=text or (),
        templates=template or (),
        purpose=purpose,
        channel=channel,
        rate=rate,
        at=at,
        region=region,
        check=check,
        most_bad=most_bad,
        force=force,
        watch=watch,
        as_json=json,
    )
    raise typer.Exit(run_start(_opening(project, database), options))


@broadcast.command("status")
def status(
    name: NameArgument, watch: WatchOption = False, json: JsonOption = False, project: ProjectOption = None, database: DatabaseOption = None
) -> None:
    """How far a broadcast is."""
    from .broadcast import run_status

    raise typer.Exit(run_status(_opening(project, database), name, watch, json))


@broadcast.command("list")
def list_all(json: JsonOption = False, project: ProjectOption = None, database: DatabaseOption = None) -> None:
    """All broadcasts, the latest first."""
    from .broadcast import run_list

    raise typer.Exit(run_list(_opening(project, database), json))


@broadcast.command("stop")
def stop(name: NameArgument, json: JsonOption = False, project: ProjectOption = None, database: DatabaseOption = None) -> None:
    """Stops a broadcast at once."""
    from .broadcast import run_stop

    raise typer.Exit(run_stop(_opening(project, database), name, json))


@broadcast.command("resume")
def resume(
    name: NameArgument,
    file: Annotated[Path | None, typer.Option(help="The recipients' file, if planning was not finished.", show_default=False)] = None,
    watch: WatchOption = False,
    json: JsonOption = False,
    project: ProjectOption = None,
    database: DatabaseOption = None,
) -> None:
    """Goes on with a broadcast that was stopped, or whose planning was interrupted."""
    from .broadcast import run_resume

    raise typer.Exit(run_resume(_opening(project, database), name, file, watch, json))
