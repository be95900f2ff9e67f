"""The commands of broadcasts, and their options. What each does lives in `broadcast`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .running import DatabaseOption

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from .broadcast import Given, Open

broadcast = typer.Typer(no_args_is_help=True, help="One message to many customers.", rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(help="Name of the broadcast; `list` shows them.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON lines.")]
WatchOption = Annotated[bool, typer.Option("--watch", help="Stay and show the progress until it is over.")]
ProjectOption = Annotated[
    Path | None,
    typer.Option("--project", "-p", help="Folder of the project. Default: here, else the reference bot.", show_default=False),
]


def opening(project: Path | None, database: str | None) -> Open:
    """The deployment of this environment, without a bot."""

    def open_it() -> AbstractAsyncContextManager[Given]:
        from bot.deployment import open_deployment
        from bot.settings import Settings

        from .projects import find_project

        return open_deployment(Settings.read(database_url=database), find_project(project), takes_turns=False)

    return open_it


@broadcast.command()
def start(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8: number,language and a column for every value of the message.")],
    business: Annotated[str, typer.Option("--from", help="The operator's number or address it is sent from.")],
    name: Annotated[str, typer.Option(help="Name it is known by, once and for all. Default: made up.", show_default=False)] = "",
    response: Annotated[str, typer.Option(help="A response of the project.", show_default=False)] = "",
    text: Annotated[list[str] | None, typer.Option(help="en=..., ko=...: the text itself, once a language.", show_default=False)] = None,
    template: Annotated[
        list[str] | None, typer.Option(help="en=HX..., ko=HX...: ids of templates the provider has approved.", show_default=False)
    ] = None,
    purpose: Annotated[str, typer.Option(help="notify, or marketing (only to those with `agreed` true or yes in the file).")] = "notify",
    channel: Annotated[str, typer.Option(help="Channel, if several are configured.", show_default=False)] = "",
    rate: Annotated[float | None, typer.Option(help="Segments a second. Default: what the channel can.", show_default=False)] = None,
    at: Annotated[str, typer.Option(help="When to start: 2026-03-05T09:00. Default: now.", show_default=False)] = "",
    region: Annotated[str, typer.Option(help="Country of numbers without one: US, KR. Default: that of --from.", show_default=False)] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Send nothing: list wrong lines, count segments, say when it would be over.")
    ] = False,
    most_bad: Annotated[int, typer.Option(help="Refuse a file with more wrong lines than this.")] = 20,
    force: Annotated[bool, typer.Option("--force", help="Leave wrong lines out, however many.")] = False,
    watch: WatchOption = False,
    json: JsonOption = False,
    project: ProjectOption = None,
    database: DatabaseOption = None,
) -> None:
    """Plans a broadcast; running senders send it. Replies of the bot go first, always."""
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
    raise typer.Exit(run_start(opening(project, database), options))


@broadcast.command("list")
def list_(json: JsonOption = False, project: ProjectOption = None, database: DatabaseOption = None) -> None:
    """The latest broadcasts."""
    from .broadcast import run_list

    raise typer.Exit(run_list(opening(project, database), json))


@broadcast.command()
def status(
    name: NameArgument, watch: WatchOption = False, json: JsonOption = False, project: ProjectOption = None, database: DatabaseOption = None
) -> None:
    """How far a broadcast is: waiting, sent, arrived, failed by code, skipped."""
    from .broadcast import run_status

    raise typer.Exit(run_status(opening(project, database), name, watch, json))


@broadcast.command()
def stop(name: NameArgument, json: JsonOption = False, project: ProjectOption = None, database: DatabaseOption = None) -> None:
    """Takes back everything no sender has in hand."""
    from .broadcast import run_stop

    raise typer.Exit(run_stop(opening(project, database), name, json))


@broadcast.command()
def resume(
    name: NameArgument,
    file: Annotated[Path | None, typer.Option(help="Where the file is now, if it was moved.", show_default=False)] = None,
    watch: WatchOption = False,
    json: JsonOption = False,
    project: ProjectOption = None,
    database: DatabaseOption = None,
) -> None:
    """Goes on with what was stopped, or whose planning was cut off."""
    from .broadcast import run_resume

    raise typer.Exit(run_resume(opening(project, database), name, file, watch, json))
