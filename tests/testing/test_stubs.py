from __future__ import annotations

import pytest

from bot.dialogue.actions import ActionFailed
from bot.testing.scenarios import Stub
from bot.testing.stubs import StubbedActions

from .fake import RealActions, call

BALANCE = Stub(
    events=(
        {"event": "slot", "name": "balance", "value": 12.5},
        {"event": "bot", "text": "by event", "data": {"buttons": [{"title": "a"}]}},
        {"event": "followup", "name": "action_terms"},
    ),
    responses=({"text": "Your balance"}, {"response": "utter_balance", "amount": 3}, {"template": "utter_old"}),
)


async def test_a_stub_answers_instead() -> None:
    result = await StubbedActions(RealActions(), {"action_balance": BALANCE}).run(call("action_balance"))
    assert result.slots == (("balance", 12.5),)
    assert [(u.response, u.text, dict(u.values)) for u in result.utterances] == [
        ("", "Your balance", {}),
        ("utter_balance", "", {"amount": 3}),
        ("utter_old", "", {}),
        ("", "by event", {}),
    ]
    assert result.utterances[3].buttons == ({"title": "a"},)
    assert result.events == ({"event": "followup", "name": "action_terms"},)


async def test_other_actions_run_for_real() -> None:
    actions = StubbedActions(RealActions(), {"action_balance": BALANCE, "action_new": Stub()})
    assert actions.names == RealActions.names | {"action_new"}
    assert (await actions.run(call("action_terms"))).slots == (("source", "action_terms"),)
    assert (await actions.run(call("action_new"))).slots == ()
    with pytest.raises(ActionFailed, match="never works"):
        await actions.run(call("action_broken"))


@pytest.mark.parametrize("event", [{"name": "a"}, {"event": "slot", "value": 1}])
async def test_a_bad_event_is_a_bad_action(event: dict[str, object]) -> None:
    with pytest.raises(ActionFailed) as failed:
        await StubbedActions(RealActions(), {"action_balance": Stub((event,))}).run(call("action_balance"))
    assert failed.value.kind == "bad_event"
