"""The commands and their options. What each does lives in a module of its own; this one only reads the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from . import running

app = typer.Typer(
    name="switchboard",
    help="Telecom customer service bots: flows decide, models only read and write.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
bench = typer.Typer(
    no_args_is_help=True, help="Measurements, side by side in one run; JSON lines on standard output.", rich_markup_mode=None
)
app.add_typer(bench, name="bench")
running.register(app)

ProjectArgument = Annotated[
    Path | None, typer.Argument(help="Folder of the project. Default: here, else the reference bot.", show_default=False)
]
CompatOption = Annotated[str | None, typer.Option(help="Documented defaults to follow: 3.11, 3.14 or 3.16.", show_default=False)]


def main() -> None:
    """Runs the command line. Errors that a user can mend are one clear message, not a traceback."""
    from . import failures

    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        message = failures.told(error)
        if message is None:
            raise
        sys.stderr.write(f"switchboard: {message}\n")
        sys.exit(2)


@app.command()
def check(
    project: ProjectArgument = None,
    json: Annotated[bool, typer.Option("--json", help="Problems as JSON.")] = False,
    strict: Annotated[bool, typer.Option(help="Warnings fail too.")] = False,
    info: Annotated[bool, typer.Option(help="Show remarks below warnings as well.")] = False,
    segments: Annotated[int, typer.Option(help="Longest text message, in SMS segments.")] = 3,
    compat: CompatOption = None,
) -> None:
    """Finds what is wrong in a project: file:line:column code message (hint)."""
    from .check import run

    raise typer.Exit(run(project, as_json=json, strict=strict, info=info, max_segments=segments, compat=compat))


@app.command()
def graph(
    flow: Annotated[str | None, typer.Argument(help="Id of a flow. Default: the whole project.", show_default=False)] = None,
    project: Annotated[Path | None, typer.Option("--project", "-p", help="Folder of the project.", show_default=False)] = None,
    format: Annotated[
        str | None,
        typer.Option("--format", "-f", help="mermaid, svg or png. Default: by the file's name, else mermaid.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: standard output.", show_default=False)
    ] = None,
    language: Annotated[str | None, typer.Option(help="Language of the texts.", show_default=False)] = None,
) -> None:
    """Draws a flow, with the designer's own steps and conditions."""
    from .graph import run

    raise typer.Exit(run(flow, project, format, output, language))


@app.command()
def test(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="A project, or test files (FILE::CASE for one case).", show_default=False)
    ] = None,
    project: Annotated[
        Path | None, typer.Option("--project", "-p", help="Folder of the project, when only files are given.", show_default=False)
    ] = None,
    understanding: Annotated[
        str | None,
        typer.Option(help="commands: replay annotated commands; local: understand every message. Default: by case.", show_default=False),
    ] = None,
    score: Annotated[
        bool, typer.Option(help="Score the understanding against the annotation; the dialogue follows the annotation.")
    ] = False,
    strict: Annotated[bool, typer.Option(help="Messages that no step expects are failures.")] = False,
    keyword: Annotated[str, typer.Option("-k", help="Only cases whose name fits, e.g. 'bill and not korean'.")] = "",
    junit: Annotated[Path | None, typer.Option(help="Also write a JUnit XML file.", show_default=False)] = None,
    compat: CompatOption = None,
) -> None:
    """Plays scenario tests and says turn by turn what went wrong."""
    from .test import run

    raise typer.Exit(run(paths or [], project, understanding, score, strict, keyword, junit, compat))


@app.command()
def chat(
    project: ProjectArgument = None,
    sender: Annotated[str, typer.Option("--as", help="The customer's number.")] = "",
    language: Annotated[str | None, typer.Option(help="Language to talk in: en, ko.", show_default=False)] = None,
    trace: Annotated[bool, typer.Option(help="Show what was understood and which steps ran.")] = False,
    store: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps the conversation. Default: nothing is kept.", show_default=False)
    ] = None,
    conversation: Annotated[str, typer.Option(help="Name of the conversation in the store.")] = "chat",
    compat: CompatOption = None,
) -> None:
    """Talks to a bot in the terminal; reads lines from a pipe too."""
    from .chat import run

    raise typer.Exit(run(project, sender, language, trace, store, conversation, compat))


@app.command()
def demo(
    once: Annotated[bool, typer.Option(help="End after the scripted conversations.")] = bool(os.environ.get("ONCE")),
) -> None:
    """Plays scripted conversations with the reference bot in English and Korean, then lets you type."""
    from .demo import run

    raise typer.Exit(run(once))


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make. Must not exist, or be empty.")],
    reference: Annotated[bool, typer.Option(help="Copy the whole reference bot instead of a small start.")] = False,
) -> None:
    """Makes a working project of your own."""
    from .new import run

    raise typer.Exit(run(folder, reference))


@bench.command("turn")
def bench_turn(
    rounds: Annotated[int, typer.Option(help="Interleaved rounds; the minimum counts.")] = 5,
    turns: Annotated[int, typer.Option(help="Turns a round.")] = 120,
    growth: Annotated[bool, typer.Option(help="Also measure growth with conversation length and number of flows.")] = True,
) -> None:
    """Our turn beside a bare hand-written LangGraph bot with the official PostgreSQL saver, on a real PostgreSQL."""
    from .bench import run_turn

    raise typer.Exit(run_turn(rounds, turns, growth))


@bench.command("inbound")
def bench_inbound(
    rate: Annotated[float, typer.Option(help="Webhooks a second.")] = 200.0,
    seconds: Annotated[float, typer.Option(help="How long.")] = 20.0,
) -> None:
    """How long webhooks take until they are stored and answered: one server process on one core."""
    from .bench_inbound import run_inbound

    raise typer.Exit(run_inbound(rate, seconds))


@bench.command("broadcast")
def bench_broadcast(
    recipients: Annotated[int, typer.Option(help="How many.")] = 100_000,
    rate: Annotated[float, typer.Option(help="Segments a second.")] = 1000.0,
) -> None:
    """Planning and sending a broadcast, and what replies wait for meanwhile."""
    from .bench_broadcast import run_broadcast

    raise typer.Exit(run_broadcast(recipients, rate))


@bench.command("recovery")
def bench_recovery(rounds: Annotated[int, typer.Option(help="Workers killed, one after another.")] = 5) -> None:
    """How long a customer waits longer when the worker that has the turn is killed."""
    from .bench_inbound import run_recovery

    raise typer.Exit(run_recovery(rounds))
