"""The commands of those who run a bot, and their options: servers, databases, customers' data. What each does lives elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .broadcasting import broadcast

ProjectArgument = Annotated[
    Path | None, typer.Argument(help="Folder of the project. Default: here, else the reference bot.", show_default=False)
]
DatabaseOption = Annotated[
    str | None,
    typer.Option("--database", help="sqlite:///file.db or postgresql://... Default: SWITCHBOARD_DATABASE_URL.", show_default=False),
]
ConcurrencyOption = Annotated[int | None, typer.Option(help="Conversations at once. Default: 64.", show_default=False)]

customer = typer.Typer(no_args_is_help=True, help="One customer's data: export and erasure.", rich_markup_mode=None)
soak = typer.Typer(
    no_args_is_help=True, help="Proofs that take minutes: real processes, real faults, then an audit.", rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    for command in (serve, worker, phone, migrate, reseal, dead_letters):
        app.command()(command)
    app.add_typer(customer, name="customer")
    app.add_typer(soak, name="soak")
    app.add_typer(broadcast, name="broadcast")


def serve(
    project: ProjectArgument = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for any. Default: 8080.", show_default=False)] = None,
    database: DatabaseOption = None,
    concurrency: ConcurrencyOption = None,
    workers: Annotated[
        bool | None,
        typer.Option(
            "--worker/--no-worker", help="Take turns in this process too. Default: yes with SQLite, no with PostgreSQL.", show_default=False
        ),
    ] = None,
) -> None:
    """Takes webhooks; with SQLite also answers them, in the same process."""
    from .serve import run_serve

    raise typer.Exit(run_serve(project, host, port, database, concurrency, workers))


def worker(
    project: ProjectArgument = None,
    database: DatabaseOption = None,
    concurrency: ConcurrencyOption = None,
    port: Annotated[
        int | None, typer.Option(help="Also serve health and metrics here (127.0.0.1 unless --host).", show_default=False)
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address for health and metrics.", show_default=False)] = None,
) -> None:
    """Takes turns, sends replies and keeps house, beside other workers, on PostgreSQL."""
    from .serve import run_worker

    raise typer.Exit(run_worker(project, database, concurrency, host, port))


def phone(
    number: Annotated[str, typer.Option("--as", help="Your number, one that is reserved for fiction.")] = "+12025550101",
    server: Annotated[str, typer.Option(help="Where `switchboard serve` listens.")] = "http://127.0.0.1:8080",
    api_port: Annotated[int, typer.Option(help="Port of the simulated carrier, where the server sends its replies.")] = 8090,
    to: Annotated[str, typer.Option(help="The operator's number.")] = "+12025550100",
) -> None:
    """A telephone in the terminal: texts a running server over the provider's own protocol; reads lines from a pipe too."""
    from .phone import run

    raise typer.Exit(run(number, server, api_port, to))


def migrate(
    revision: Annotated[str, typer.Argument(help="Revision to upgrade to.")] = "head",
    database: DatabaseOption = None,
) -> None:
    """Brings a database up to date. PostgreSQL needs it before a new version is started; SQLite does it by itself."""
    from .operations import run_migrate

    raise typer.Exit(run_migrate(database, revision))


def reseal(database: DatabaseOption = None) -> None:
    """Encrypts all stored personal data with the newest of SWITCHBOARD_ENCRYPTION_KEYS, while the bot runs."""
    from .operations import run_reseal

    raise typer.Exit(run_reseal(database))


def dead_letters(
    revive: Annotated[
        list[int] | None, typer.Option(help="Id of a letter to try again; may be given several times.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON lines.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Lists messages that were given up, with their cause."""
    from .operations import run_dead_letters

    raise typer.Exit(run_dead_letters(revive or [], json, database))


@customer.command("export")
def customer_export(
    number: Annotated[str, typer.Argument(help="The customer's number (+12025550101) or address (whatsapp:+12025550101).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: standard output.", show_default=False)
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Everything that is stored about a customer, decrypted, as JSON."""
    from .operations import run_export

    raise typer.Exit(run_export(number, output, database))


@customer.command("erase")
def customer_erase(
    number: Annotated[str, typer.Argument(help="The customer's number (+12025550101) or address (whatsapp:+12025550101).")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    forget_consent: Annotated[
        bool, typer.Option("--forget-consent", help="Also forget that the customer said stop: the number may be written to again.")
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """Deletes everything that is stored about a customer. Cannot be undone."""
    from .operations import run_erase

    raise typer.Exit(run_erase(number, yes, forget_consent, database))


@soak.command("crash")
def soak_crash(
    kills: Annotated[int, typer.Option(min=0, help="How often a process is killed by kill -9.")] = 200,
    messages: Annotated[int, typer.Option(min=1, help="How many messages customers write.")] = 20_000,
    database: Annotated[str, typer.Option(help="sqlite, postgresql (both of its own), or the URL of an empty database.")] = "postgresql",
    workers: Annotated[int, typer.Option(min=1, help="Worker processes, on PostgreSQL.")] = 3,
    customers: Annotated[int, typer.Option(min=1, help="Customers who write at once.")] = 200,
    per_second: Annotated[float, typer.Option(min=0.1, help="Messages a second, all customers together.")] = 40.0,
    seed: Annotated[int, typer.Option(help="Of the random choices.")] = 1,
    database_crashes: Annotated[int, typer.Option(min=0, help="How often the PostgreSQL crashes as well.")] = 0,
    keep: Annotated[Path | None, typer.Option(help="Folder for the processes' logs. Default: not kept.", show_default=False)] = None,
) -> None:
    """Kills servers and workers at random and at the worst instants; audits that nothing was lost, repeated or left behind."""
    from .soak.crash import Plan, run_crash

    raise typer.Exit(run_crash(Plan(kills, messages, database, workers, customers, per_second, seed, database_crashes), keep))
