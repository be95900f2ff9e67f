from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.dialogue.actions import ActionCall, ActionFailed, ActionResult, Utterance
from integrations.rasa import ActionsImportError, InProcessActions

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CALL = ActionCall(
    action="",
    key="key-1",
    conversation="c1",
    slots={"plan": {"id": "basic"}, "amount": None},
    text="my bill",
    now=NOW,
    language="ko",
    channel="sms",
    domain={"slots": {"plan": {"type": "any"}}},
    metadata={"region": "north"},
    active_flow="pay_bill",
    stack=({"id": "f1", "flow": "pay_bill", "step": "s1", "kind": "regular"},),
)

Make = Callable[..., InProcessActions]

STUBBORN = """
while time.time() < stop:
    try:
        await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        pass
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def files(name: str = "project", **sources: str) -> Path:
        """Keys are paths with `__` for a slash, without .py."""
        root = tmp_path / name
        for path, source in sources.items():
            file = root / (path.replace("__", "/") + ".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("from rasa_sdk import Action\nfrom rasa_sdk.events import *\n" + textwrap.dedent(source), "utf-8")
        return root

    return files


@pytest.fixture
def make() -> Iterator[Make]:
    hosts: list[InProcessActions] = []

    def host(root: Path, **options: Any) -> InProcessActions:
        made = InProcessActions(root, **options)
        hosts.append(made)
        return made

    yield host
    for made in hosts:
        made.close()


def action(name: str, body: str, *, sync: bool = False) -> str:
    head = f"class {name.title().replace('_', '')}(Action):\n    def name(self):\n        return {name!r}\n"
    run = f"    {'' if sync else 'async '}def run(self, dispatcher, tracker, domain):\n"
    return head + run + textwrap.indent(textwrap.dedent(body).strip(), " " * 8) + "\n"


async def run(host: InProcessActions, name: str, **changes: Any) -> ActionResult:
    return await host.run(replace(CALL, action=name, **changes))


async def failure(host: InProcessActions, name: str, **changes: Any) -> ActionFailed:
    with pytest.raises(ActionFailed) as caught:
        await run(host, name, **changes)
    return caught.value


async def test_what_an_action_sees(write: Any, make: Make) -> None:
    body = """
        m = tracker.latest_message
        return [SlotSet("seen", [tracker.sender_id, m["text"], m["metadata"], tracker.get_slot("plan"), tracker.get_slot("amount"),
            tracker.get_latest_input_channel(), tracker.active_loop_name, tracker.stack[-1]["flow_id"], tracker.latest_action_name,
            m["intent"].get("name"), list(tracker.get_latest_entity_values("x")), list(domain["slots"])])]
    """
    result = await run(make(write(actions=action("action_see", body))), "action_see")
    metadata = {
        "region": "north",
        "idempotency_key": "key-1",
        "now": "2026-03-04T05:06:07+00:00",
        "language": "ko",
        "channel": "sms",
        "active_flow": "pay_bill",
    }
    expected = ["c1", "my bill", metadata, {"id": "basic"}, None, "sms", None, "pay_bill", "action_listen", None, [], ["plan"]]
    assert result.slots == (("seen", expected),)


async def test_everything_said_in_order(write: Any, make: Make) -> None:
    body = """
        dispatcher.utter_message(text="one", buttons=[{"title": "Yes", "payload": "/SetSlots(a=true)"}])
        dispatcher.utter_message(response="utter_two", amount="5.00")
        dispatcher.utter_message(image="https://example.com/i.png", attachment="https://example.com/a.pdf")
        dispatcher.utter_message(json_message={"k": 1}, elements=[{"title": "e"}])
        dispatcher.utter_message()
        await dispatcher.stream_chunk(text="streamed")
        last = BotUttered("last", {"buttons": [{"title": "B", "payload": "b"}]})
        return [last, SlotSet("x", 1), FollowupAction("action_b"), SlotSet("y", None)]
    """
    result = await run(make(write(actions=action("action_say", body))), "action_say")
    assert result.utterances == (
        Utterance(text="one", buttons=({"title": "Yes", "payload": "/SetSlots(a=true)"},)),
        Utterance(response="utter_two", values={"amount": "5.00"}),
        Utterance(image="https://example.com/i.png", attachment="https://example.com/a.pdf"),
        Utterance(custom={"k": 1, "elements": [{"title": "e"}]}),
        Utterance(text="streamed"),
        Utterance(text="last", buttons=({"title": "B", "payload": "b"},)),
    )
    assert result.slots == (("x", 1), ("y", None))
    assert [event["event"] for event in result.events] == ["followup"]
    assert ActionResult.from_json(result.to_json()) == result


async def test_slots_before_a_reset_are_dropped(write: Any, make: Make) -> None:
    host = make(write(actions=action("action_r", 'return [SlotSet("a", 1), AllSlotsReset(), SlotSet("b", 2)]')))
    result = await run(host, "action_r")
    assert result.slots == (("b", 2),)
    assert result.events == ({"event": "reset_slots", "timestamp": None},)


async def test_none_and_empty_mean_nothing_happened(write: Any, make: Make) -> None:
    host = make(write(actions=action("action_none", "pass") + action("action_sync", "pass", sync=True)))
    assert await run(host, "action_none") == ActionResult() == await run(host, "action_sync")


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ('[SlotSet("due", __import__("datetime").date(2026, 1, 1))]', "slot due: date"),
        ('[SlotSet("sum", {"a": [__import__("decimal").Decimal("1")]})]', "slot sum: Decimal"),
        ('[SlotSet("rate", float("nan"))]', "slot rate: NaN"),
        ('[SlotSet("map", {1: 2})]', "slot map: a dictionary has keys"),
        ('[SlotSet("loop", (lambda l: (l.append(l), l)[1])([]))]', "slot loop: nested"),
        ('[{"event": "slto", "name": "a", "value": 1}]', "event 'slto'"),
        ('[{"event": "slot", "value": 1}]', "slot event without a name"),
        ('[{"event": "followup"}]', "followup"),
        ('["slot"]', "str"),
        ('{"event": "slot"}', "dict instead of a list"),
        ("42", "int instead of a list"),
    ],
)
async def test_bad_events(write: Any, make: Make, returned: str, told: str) -> None:
    failed = await failure(make(write(actions=action("action_bad", f"return {returned}"))), "action_bad")
    assert failed.kind == "bad_event"
    assert told in failed.detail


async def test_bad_message_values_name_the_response(write: Any, make: Make) -> None:
    host = make(write(actions=action("action_bad", 'dispatcher.utter_message(response="utter_x", at=object())')))
    failed = await failure(host, "action_bad")
    assert failed.kind == "bad_event"
    assert "utter_x: object" in failed.detail


async def test_an_action_cannot_touch_our_values(write: Any, make: Make) -> None:
    body = """
        tracker.slots["plan"]["id"] = "changed"
        tracker.slots["new"] = 1
        tracker.events.clear()
        tracker.stack[0]["step_id"] = "x"
        tracker.latest_message["metadata"]["list"].append(2)
        domain["slots"]["plan"]["type"] = "changed"
        return [SlotSet("type", domain["slots"]["plan"]["type"])]
    """
    slots: dict[str, Any] = {"plan": {"id": "basic"}}
    domain = {"slots": {"plan": {"type": "any"}}}
    metadata = {"list": [1]}
    events = [{"event": "user", "text": "my bill"}]
    look = action("action_look", 'return [SlotSet("type", domain["slots"]["plan"]["type"])]')
    host = make(write(actions=action("action_m", body) + look))
    await run(host, "action_m", slots=slots, domain=domain, metadata=metadata, events=events)
    assert slots == {"plan": {"id": "basic"}}
    assert domain == {"slots": {"plan": {"type": "any"}}}
    assert metadata == {"list": [1]}
    assert events == [{"event": "user", "text": "my bill"}]
    assert (await run(host, "action_look", domain=domain)).slots == (("type", "any"),), "one call's domain leaked into the next"


async def test_sync_actions_run_side_by_side(write: Any, make: Make) -> None:
    host = make(write(actions="import time\n" + action("action_slow", "time.sleep(0.5); return [SlotSet('a', 1)]", sync=True)))
    started = time.perf_counter()
    results = await asyncio.gather(*(run(host, "action_slow") for _ in range(4)))
    assert time.perf_counter() - started < 1.9  # one after another they take 2
    assert {result.slots for result in results} == {(("a", 1),)}


async def test_more_sync_actions_than_threads_wait_their_turn(write: Any, make: Make) -> None:
    host = make(write(actions="import time\n" + action("action_slow", "time.sleep(0.1)", sync=True)), max_threads=2)
    started = time.perf_counter()
    await asyncio.gather(*(run(host, "action_slow") for _ in range(4)))
    assert time.perf_counter() - started > 0.19  # side by side they take 0.1


@pytest.mark.parametrize(
    ("source", "sync"),
    [
        ("await asyncio.sleep(20)", False),
        ("time.sleep(4)", True),
        (STUBBORN, False),
    ],
    ids=["async", "sync", "swallows cancellation"],
)
async def test_timeout_is_strict(write: Any, make: Make, source: str, sync: bool) -> None:
    source = "stop = time.time() + 4\n" + source if not sync else source
    host = make(write(actions="import asyncio, time\n" + action("action_slow", source, sync=sync)), timeouts={"action_slow": 0.1})
    started = time.perf_counter()
    failed = await failure(host, "action_slow")
    assert time.perf_counter() - started < 3
    assert (failed.kind, failed.detail) == ("timeout", "no answer within 0.1 s")


async def test_cancelling_the_turn_cancels_the_action(write: Any, make: Make, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    body = f"try:\n    await asyncio.sleep(5)\nfinally:\n    open({str(mark)!r}, 'w').close()"
    host = make(write(actions="import asyncio\n" + action("action_slow", body)))
    task = asyncio.create_task(run(host, "action_slow"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.01)
    assert mark.exists()


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        ('ValueError("555-0100 owes 30")', "failed"),
        ('SystemExit("555-0100")', "failed"),
        ("StopIteration()", "failed"),
        ("asyncio.CancelledError()", "failed"),
        ('ActionExecutionRejection("a", "555-0100")', "rejected"),
        ('BssError("unknown_outcome", "x")', "unknown_outcome"),
        ('BssError("unavailable", "x")', "failed"),
    ],
)
async def test_failures_name_the_place_and_nothing_personal(write: Any, make: Make, sync: bool, raised: str, kind: str) -> None:
    source = "import asyncio\nfrom rasa_sdk import ActionExecutionRejection\nfrom integrations.bss import BssError\n"
    failed = await failure(make(write(actions=source + action("action_f", f"raise {raised}", sync=sync))), "action_f")
    assert failed.kind == kind
    assert "555-0100" not in str(failed)
    assert failed.__cause__ is None
    if "Cancelled" not in raised:
        assert "actions.py:10" in failed.detail
        # A coroutine turns StopIteration into RuntimeError, here as in any Python program.
        told = {"ActionExecutionRejection": "rejected", "StopIteration": "RuntimeError"}
        assert told.get(raised.partition("(")[0], raised.partition("(")[0]) in failed.detail


async def test_place_is_the_innermost_line_of_the_project(write: Any, make: Make) -> None:
    shallow = "from .deep import fall\n" + action("action_f", "fall()")
    host = make(write(actions____init__="", actions__deep="def fall():\n    int('x')\n", actions__a=shallow))
    assert (await failure(host, "action_f")).detail == "ValueError at actions/deep.py:4"


async def test_unknown_action(write: Any, make: Make) -> None:
    assert (await failure(make(write(actions="")), "action_nobody")).kind == "unknown"


async def test_two_projects_with_the_same_modules_do_not_meet(write: Any, make: Make) -> None:
    def project(name: str) -> Path:
        root: Path = write(
            name,
            actions____init__="",
            actions__shared=f"WHO = {name!r}\n",
            actions__db=f"def who():\n    return {name!r}\n",
            actions__bills="from actions.shared import WHO\nimport actions.db\nimport actions.db as db\n"
            + "from . import shared\nfrom helpers.more import MORE\n"
            + action(
                "action_who",
                """
                from actions.db import who
                import actions.late
                from .late import LATE
                return [SlotSet("who", [WHO, actions.db.who(), db.who(), shared.WHO, who(), actions.late.LATE, LATE, MORE])]
                """,
            ),
            actions__late=f"LATE = {name!r}\n",
            helpers__more=f"MORE = {name!r}\n",
            **({f"actions__only_{name}": action(f"action_only_{name}", "pass")}),
        )
        return root

    one, two = make(project("one")), make(project("two"))
    for host, name in ((one, "one"), (two, "two"), (one, "one")):
        assert (await run(host, "action_who")).slots == (("who", [name] * 8),)
        assert host.names == {"action_who", f"action_only_{name}"}
    assert not [name for name in sys.modules if name.partition(".")[0] in ("actions", "helpers")]


async def test_closing_forgets_the_project(write: Any) -> None:
    before = set(sys.modules), list(sys.meta_path)
    root = write(actions=action("action_a", 'return [SlotSet("v", 1)]'))
    with InProcessActions(root) as host:
        assert (await run(host, "action_a")).slots == (("v", 1),)
    write(actions=action("action_a", 'return [SlotSet("v", 2)]'))
    with InProcessActions(root) as host:
        assert (await run(host, "action_a")).slots == (("v", 2),), "an edit within the same second was not seen"
    assert not [name for name in set(sys.modules) - before[0] if name.startswith("_project_")]
    assert sys.meta_path == before[1]


async def test_our_layout_finds_each_skill(write: Any, make: Make) -> None:
    root = write(
        flows__billing__actions="from flows.shared.money import ONE\nfrom .rates import TWO\nfrom integrations.bss import Money\n"
        + action("action_bill", 'return [SlotSet("x", [ONE, TWO, Money.__module__])]'),
        flows__billing__rates="TWO = 2\n",
        flows__shared__money="ONE = 1\n",
        flows__roaming__actions____init__="",
        flows__roaming__actions__start=action("action_roam", "pass"),
        actions__common=action("action_common", "pass"),
    )
    host = make(root)
    assert host.names == {"action_bill", "action_roam", "action_common"}
    assert (await run(host, "action_bill")).slots[0][1][:2] == [1, 2]
    assert not (await run(host, "action_bill")).slots[0][1][2].startswith("_project"), "the framework was loaded a second time"


def test_only_named_modules(write: Any, make: Make) -> None:
    root = write(actions=action("action_a", "pass"), custom__more=action("action_b", "pass"))
    assert make(root, modules=["custom.more"]).names == {"action_b"}


def test_import_problems_are_told_all_at_once(write: Any) -> None:
    root = write(
        actions____init__="",
        actions__a="import nothing_of_this_name\n",
        actions__b="def f(:\n",
        actions__c="import sys\nsys.exit('bye')\n",
        actions__d="from actions.missing import x\n",
        actions__e="1 / 0\n",
    )
    with pytest.raises(ActionsImportError) as caught:
        InProcessActions(root)
    assert [(p.place.file, p.place.line, p.code) for p in caught.value.problems] == [
        ("actions/a.py", 3, "actions.import"),
        ("actions/b.py", 3, "actions.import"),
        ("actions/c.py", 4, "actions.import"),
        ("actions/d.py", 3, "actions.import"),
        ("actions/e.py", 3, "actions.import"),
    ]
    assert "nothing_of_this_name" in str(caught.value)
    assert "No module named 'actions.missing'" in str(caught.value)
    assert "SystemExit" in str(caught.value)
    assert "_project_" not in str(caught.value)


def test_duplicate_names_are_refused_but_overriding_is_not(write: Any, make: Make) -> None:
    base = action("action_a", "pass")
    host = make(write(actions=base + "class Better(ActionA):\n    async def run(self, dispatcher, tracker, domain):\n        return []\n"))
    assert host.names == {"action_a"}
    with pytest.raises(ActionsImportError, match=r"actions\.py:8.*actions\.duplicate.*actions\.py:3"):
        make(write("twice", actions=base + base.replace("ActionA", "Other")))


def test_helpers_and_broken_names_are_passed_over(write: Any, make: Make) -> None:
    source = (
        "import abc\n"
        "class Base(Action):\n    def __init__(self, table):\n        pass\n"
        "class Abstract(Action, abc.ABC):\n    def name(self):\n        return 'action_x'\n"
        "    async def run(self, d, t, m):\n        pass\n"
        "    @abc.abstractmethod\n    def rows(self): ...\n"
        "class Nameless(Action):\n    def name(self):\n        raise RuntimeError\n    async def run(self, d, t, m):\n        pass\n"
    )
    host = make(write(actions=source + action("action_a", "pass")))
    assert host.names == {"action_a"}
    assert [note.partition(" ")[0] for note in host.notes] == ["actions.Base", "actions.Abstract", "actions.Nameless"]


async def test_services_are_injected_by_name(write: Any, make: Make) -> None:
    source = action("action_pay", 'return [SlotSet("paid", [self.bss, self.limit])]').replace(
        "    def name", "    def __init__(self, bss, limit=3, **more):\n        self.bss, self.limit = bss, limit\n    def name", 1
    )
    root = write(actions=source)
    assert (await run(make(root, services={"bss": "operator", "other": 1}), "action_pay")).slots == (("paid", ["operator", 3]),)
    with pytest.raises(ActionsImportError, match=r"actions\.py:3.*actions\.service.*needs bss.*known services: other"):
        make(root, services={"other": 1})


async def test_a_candidate_reaches_plain_and_helper_validators(write: Any, make: Make) -> None:
    plain = action("validate_plan", 'return [SlotSet("plan", tracker.get_slot("plan").upper() + str(tracker.slots_to_validate()))]')
    form = (
        "from rasa_sdk import FormValidationAction, ValidationAction\n"
        "class V(FormValidationAction):\n    def name(self):\n        return 'validate_size'\n"
        "    def validate_size(self, value, dispatcher, tracker, domain):\n        return {'size': value * 2}\n"
        "class W(ValidationAction):\n"
        "    async def validate_city(self, value, dispatcher, tracker, domain):\n"
        "        return {'city': None if value == 'Nowhere' else value}\n"
    )
    host = make(write(actions=plain + form))
    assert {"validate_plan", "validate_size", "validate_city"} <= host.names
    events = [{"event": "user", "text": "my bill"}, {"event": "slot", "name": "plan", "value": "old"}]
    domain = {"slots": {"city": {"type": "text", "mappings": [{"type": "from_llm"}]}, "plan": {}, "size": {}}}
    result = await run(host, "validate_plan", candidate=("plan", "gold"), events=events)
    assert result.slots == (("plan", "GOLD{'plan': 'gold'}"),)
    assert (await run(host, "validate_size", candidate=("size", 4), domain=domain, events=events)).slots == (("size", 8),)
    assert (await run(host, "validate_city", candidate=("city", "Nowhere"), domain=domain)).slots == (("city", None),)
    assert (await run(host, "validate_city", candidate=("city", "Seoul"), domain=domain)).slots == (("city", "Seoul"),)


async def test_documented_layout_runs_in_its_folder(write: Any, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    read = action("action_read", "return [SlotSet('t', TEXT + open('csvs/a.csv').read())]", sync=True)
    root = write(actions="TEXT = open('csvs/a.csv').read()\n" + read)
    (root / "csvs").mkdir()
    (root / "csvs" / "a.csv").write_text("x")
    (root / "domain.yml").write_text("")
    host = InProcessActions(root)
    assert (await run(host, "action_read")).slots == (("t", "xx"),)
    host.close()
    assert Path(os.getcwd()) == tmp_path
    with pytest.raises(ActionsImportError, match="FileNotFoundError"):
        InProcessActions(root, chdir=False)


def test_importing_costs_nothing() -> None:
    check = "import integrations.rasa, sys; print([m for m in ('rasa_sdk', 'sanic', 'httpx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout.strip() == "[]"


def test_loading_is_silent_and_leaves_warnings_alone(write: Any) -> None:
    root = write(actions=action("action_a", "pass"))
    check = (
        "import warnings, logging, sys; logging.basicConfig(level=logging.INFO); from integrations.rasa import InProcessActions;"
        f"before = list(warnings.filters); InProcessActions({str(root)!r}); sys.exit(before != warnings.filters)"
    )
    done = subprocess.run([sys.executable, "-W", "always", "-c", check], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
