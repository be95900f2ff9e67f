"""The command line as a user runs it: real processes, real output."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def switchboard(*arguments: str, cwd: Path = ROOT, stdin: str = "", timeout: float = 100) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot.cli", *arguments]
    return subprocess.run(
        command,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )


@pytest.fixture(scope="module")
def scaffold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "mine"
    made = switchboard("new", str(folder))
    assert made.returncode == 0, made.stderr
    return folder


def test_help_answers_at_once() -> None:
    best = min(_timed_help() for _ in range(3))
    assert best < 0.5, f"{best:.2f} s"


def _timed_help() -> float:
    began = time.perf_counter()
    helped = switchboard("--help")
    assert helped.returncode == 0
    assert all(command in helped.stdout for command in ("check", "graph", "test", "chat", "demo", "new", "bench"))
    return time.perf_counter() - began


def test_a_new_project_is_free_of_problems_and_its_tests_pass(scaffold: Path) -> None:
    checked = switchboard("check", str(scaffold), "--strict")
    assert (checked.returncode, checked.stdout.strip()) == (0, "no problems")
    tested = switchboard("test", str(scaffold))
    assert tested.returncode == 0, tested.stdout
    assert tested.stdout.strip().endswith("3 passed, 0 failed, 0 skipped")


def test_a_new_project_does_not_overwrite(scaffold: Path) -> None:
    again = switchboard("new", str(scaffold))
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_a_whole_copy_of_the_reference_bot(tmp_path: Path) -> None:
    assert switchboard("new", str(tmp_path / "copy"), "--reference").returncode == 0
    assert switchboard("check", str(tmp_path / "copy")).returncode == 0
    one = switchboard("test", str(tmp_path / "copy" / "flows" / "handover" / "tests.yml"))
    assert one.returncode == 0, one.stdout


def test_chat_reads_a_pipe(scaffold: Path) -> None:
    talked = switchboard("chat", str(scaffold), stdin="I need more data\n5\nyes\n/quit\n")
    assert talked.returncode == 0, talked.stderr
    assert "bot> 5 GB costs $10.00. Shall I add it?" in talked.stdout
    assert "bot> Done: 5 GB were added." in talked.stdout


def test_chat_keeps_a_conversation_between_processes(scaffold: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "kept.db")
    first = switchboard("chat", str(scaffold), "--store", store, stdin="I need more data\n")
    assert "how much" in first.stdout.lower()
    second = switchboard("chat", str(scaffold), "--store", store, stdin="7\n")
    assert "7 GB costs $14.00" in second.stdout


def test_chat_traces(scaffold: Path) -> None:
    talked = switchboard("chat", str(scaffold), "--trace", "--language", "ko", stdin="데이터 충전해 주세요\n")
    assert "StartFlow(top_up)" in talked.stdout
    assert "step top_up / 0_collect_top_up_gb" in talked.stdout
    assert "몇 GB를 충전할까요?" in talked.stdout


def test_check_finds_mistakes_with_place_and_exit_status(scaffold: Path, tmp_path: Path) -> None:
    flows = (scaffold / "flows" / "top_up" / "flows.yml").read_text(encoding="utf-8")
    broken = tmp_path / "flows" / "top_up"
    broken.mkdir(parents=True)
    (broken / "flows.yml").write_text(flows.replace("utter_top_up_done", "utter_top_up_dun"), encoding="utf-8")
    (broken / "domain.yml").write_text((scaffold / "flows" / "top_up" / "domain.yml").read_text(encoding="utf-8"), encoding="utf-8")
    checked = switchboard("check", str(tmp_path))
    assert checked.returncode == 1
    assert "flows/top_up/flows.yml:17:" in checked.stdout
    assert "unknown-response" in checked.stdout
    assert "did you mean `utter_top_up_done`?" in checked.stdout
    as_json = json.loads(switchboard("check", str(tmp_path), "--json").stdout)
    assert as_json["counts"]["error"] >= 1


def test_graphs_are_drawn(scaffold: Path, tmp_path: Path) -> None:
    drawn = switchboard("graph", "top_up", "--project", str(scaffold))
    assert "flowchart TD" in drawn.stdout
    assert switchboard("graph", "top_up", "-p", str(scaffold), "-o", str(tmp_path / "a.svg")).returncode == 0
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert switchboard("graph", "top_up", "-p", str(scaffold), "-o", str(tmp_path / "a.png")).returncode == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    wrong = switchboard("graph", "top_upp", "-p", str(scaffold))
    assert wrong.returncode == 2
    assert "did you mean top_up?" in wrong.stderr


def test_errors_a_user_can_mend_are_one_line(tmp_path: Path) -> None:
    for arguments in (("check", str(tmp_path / "nowhere")), ("check", str(ROOT), "--compat", "9"), ("test", str(tmp_path))):
        failed = switchboard(*arguments)
        assert failed.returncode == 2
        assert "Traceback" not in failed.stderr


def test_the_demo_plays_and_ends_without_a_terminal() -> None:
    played = switchboard("demo")
    assert played.returncode == 0, played.stderr
    assert "PROBLEM" not in played.stdout
    assert "[queue:" in played.stdout
    assert any("가" <= letter <= "힣" for letter in played.stdout)
