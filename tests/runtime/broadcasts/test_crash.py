"""A planner in a real process, killed with kill -9 in the middle; another goes on where it stood."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.conversations import Database

from .world import broadcasts, file_of, order, rows

CHILD = """
import asyncio, sys, time
from pathlib import Path
from bot.conversations import Database, connect
from tests.runtime.broadcasts.world import broadcasts, order

moment = sys.argv[3]

async def main(url, folder):
    database = Database(connect(url))
    room = broadcasts(database, Path(folder))
    def step(done, of):
        if done == 3000 and moment == "between":
            print("here", flush=True)
            time.sleep(600)
    if moment == "inside":  # the rows of a chunk are written and not yet committed
        put, count = room._planner._outbox.put, 0
        async def put_and_stop(tx, messages):
            nonlocal count
            await put(tx, messages)
            count += 1
            if count == 4:
                print("here", flush=True)
                await asyncio.sleep(600)
        room._planner._outbox.put = put_and_stop
    await room.start(order(), Path(folder) / "customers.csv", progress=step)

asyncio.run(main(*sys.argv[1:3]))
"""


@pytest.mark.parametrize("moment", ["between", "inside"])
async def test_a_killed_planner_is_followed_by_another(live: Database, tmp_path: Path, moment: str) -> None:
    file_of(tmp_path, 5000)
    url = live.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CHILD, url, str(tmp_path), moment]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
    finally:
        process.kill()
        process.communicate()
    room = broadcasts(live, tmp_path)
    status = await room.status("work")
    assert (status.status, status.planned, status.counts.waiting) == ("planning", 3000, 3000)
    assert await room.resume("work") == 0, "nothing had been taken back"
    found = await rows(live)
    assert [row.key for row in found] == [f"broadcast-work:{line}" for line in range(2, 5002)]
    assert len({row.customer for row in found}) == 5000
    due = [row.due for row in found]
    assert all(abs((b - a).total_seconds() - 0.01) < 1e-5 for a, b in zip(due, due[1:], strict=False)), "the rate holds over the break"
    assert order().id == (await room.list())[0].id
    assert ((await room.status("work")).segments, (await room.status("work")).planned) == (5000, 5000)
