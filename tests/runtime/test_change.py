from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.app import load_project
from bot.channels import Address, Capabilities, ConversationKey, MessageChannel, Outbound, Payload, Reconciled, SendOutcome
from bot.conversations import Addresses, InboxRow, Incoming, OpenTurn
from bot.dialogue.commands import SetSlot, StartFlow, Trigger
from bot.dialogue.conversation import Outcome
from bot.dialogue.state import Frame, State
from bot.dialogue.understander import Understanding
from bot.language import Project
from bot.runtime.change import Composer

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
HERE = Addresses("plain", "tel:+12025550100", "tel:+12025550101")


class Plain:
    """A channel that renders a message as itself."""

    name = "plain"

    def __init__(self, segments: int | None = 3) -> None:
        self._capabilities = Capabilities(max_segments=segments)

    def capabilities(self, key: ConversationKey) -> Capabilities:
        return self._capabilities

    def render(self, key: ConversationKey, message: Outbound) -> tuple[Payload, ...]:
        choices = "".join(f"[{choice.title}]" for choice in message.choices)
        fields = (("to", key.customer.value), ("text", message.text + choices), ("media", ",".join(message.media)))
        return (Payload(message.idempotency_key, fields),)

    async def send(self, key: ConversationKey, payload: Payload) -> SendOutcome:
        raise NotImplementedError

    async def reconcile(self, key: ConversationKey, payload: Payload, **_: Any) -> Reconciled:
        raise NotImplementedError


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    (folder / "switchboard.yml").write_text("language: en\nadditional_languages: [ko]\n")
    (folder / "flows").mkdir()
    (folder / "flows" / "flows.yml").write_text(
        "flows:\n  check_bill:\n    description: looks up the bill\n    steps: [{action: utter_bill}]\n"
        "responses:\n  utter_bill: [{text: 'It is $5.', translation: {ko: '5달러예요.'}}]\n"
    )
    return load_project(folder).project


def composer(project: Project, *, segments: int | None = 3, silence: timedelta | None = None) -> Composer:
    channel: MessageChannel = Plain(segments)
    return Composer(project, {"plain": channel}, silence)


def row(number: int, payload: Mapping[str, Any], kind: str = "message", **more: Any) -> InboxRow:
    stale = more.pop("stale", False)
    return InboxRow(number, Incoming(f"e{number}", "c1", payload, HERE, kind, **more), AT + timedelta(seconds=number), stale=stale)


def opened(rows: list[InboxRow], state: Mapping[str, Any] | None = None, **more: Any) -> OpenTurn:
    return OpenTurn(
        "c1",
        0 if state is None else 3,
        None if state is None else dict(state),
        **{"owner": "bot", "addresses": HERE, **more},
        inbox=tuple(rows),
    )


def said(*texts: str, **more: Any) -> tuple[dict[str, Any], ...]:
    plain = {"event": "bot", "response": "", "buttons": [], "image": "", "attachment": None, "custom": None, **more}
    return tuple({**plain, "text": text} for text in texts)


def outcome(state: State, *events: Mapping[str, Any]) -> Outcome:
    return Outcome(state, events, Understanding(()))


WAITING = State(stack=(Frame("1.1", "check_bill", "v"),), turn=2, session=1, language="en")


def test_a_burst_is_one_message_with_the_name_of_the_first_and_the_time_of_the_last(project: Project) -> None:
    rows = [row(1, {"text": "hi"}), row(2, {"text": "my bill", "language": "ko"})]
    inbound = composer(project).inbound(opened(rows), rows)
    assert inbound is not None
    assert (inbound.text, inbound.id, inbound.now) == ("hi\nmy bill", "e1", AT + timedelta(seconds=2))
    assert (inbound.sender, inbound.channel, inbound.language) == ("+12025550101", "sms", "ko")


def test_a_button_counts_by_its_payload(project: Project) -> None:
    rows = [row(1, {"text": "Plus", "choice": "/SetSlots(plan=plus)"})]
    inbound = composer(project).inbound(opened(rows), rows)
    assert inbound is not None
    assert inbound.text == "/SetSlots(plan=plus)"


def test_a_picture_without_words_has_a_pattern_of_its_own(project: Project) -> None:
    files = [{"url": "https://files.example/1", "content_type": "image/jpeg"}]
    rows = [row(1, {"text": "", "media": files})]
    inbound = composer(project).inbound(opened(rows), rows)
    assert inbound is not None
    assert inbound.commands == (Trigger("pattern_attachment", {}),)
    assert inbound.metadata == {"media": files}
    with_words = [row(1, {"text": "look", "media": files})]
    worded = composer(project).inbound(opened(with_words), with_words)
    assert worded is not None
    assert worded.commands is None


def test_silence_is_asked_about_once_and_only_while_something_is_open(project: Project) -> None:
    quiet = composer(project, silence=timedelta(minutes=5))
    rows = [row(1, {"text": "hi"})]
    change = quiet.change(opened(rows), rows, outcome(WAITING))
    assert [(timer.key, timer.due) for timer in change.timers] == [("silence", AT + timedelta(seconds=1, minutes=5))]
    change = quiet.change(opened(rows), rows, outcome(State(turn=2)))
    assert (change.timers, change.cancelled_timers) == ([], ["silence"])
    fired = [row(2, {}, "timer", timer="silence", generation=1)]
    inbound = quiet.inbound(opened(fired, WAITING.to_json()), fired)
    assert inbound is not None
    assert (inbound.commands, inbound.occasion) == ((Trigger("pattern_user_silence", {}),), "timer:silence")
    assert quiet.change(opened(fired, WAITING.to_json()), fired, outcome(WAITING)).timers == []
    assert quiet.inbound(opened(fired, State(turn=2).to_json()), fired) is None, "nothing was open any more"


def test_timers_that_lost_their_sense_do_nothing(project: Project) -> None:
    stale = [row(1, {}, "timer", timer="silence", generation=1, stale=True)]
    assert composer(project).inbound(opened(stale, WAITING.to_json()), stale) is None
    with_person = [row(1, {}, "timer", timer="silence", generation=1)]
    assert composer(project).inbound(opened(with_person, WAITING.to_json(), owner="agent:7"), with_person) is None
    change = composer(project).without_turn(opened(stale, WAITING.to_json()), stale)
    assert (change.done, change.events, change.outbox) == ([1], (), ())


def test_reminders(project: Project) -> None:
    rows = [row(1, {"text": "remind me"})]
    event = {
        "event": "reminder", "name": "bill", "at": "2026-03-05T09:00:00", "intent": "check_bill",
        "entities": [{"entity": "month", "value": "May"}], "kill": True,
    }  # fmt: skip
    change = composer(project).change(opened(rows), rows, outcome(WAITING, event, {"event": "reminder_cancelled", "name": "old"}))
    timer = change.timers[0]
    assert (timer.key, timer.due) == ("reminder:bill", datetime(2026, 3, 5, 9, tzinfo=UTC))
    assert change.cancelled_timers == ["reminder:old"]
    fired = [row(2, timer.payload, "timer", timer=timer.key, generation=1)]
    inbound = composer(project).inbound(opened(fired, WAITING.to_json()), fired)
    assert inbound is not None
    assert inbound.commands == (StartFlow("check_bill"), SetSlot("month", "May"))
    went_on = replace(WAITING, turn=3)
    assert composer(project).inbound(opened(fired, went_on.to_json()), fired) is None, "the customer has written since"


def test_texts_of_a_turn_are_one_message_where_messages_cost(project: Project) -> None:
    rows = [row(1, {"text": "hi"})]
    events = (
        *said("One."),
        *said("Two.", image="https://pictures.example/2"),
        *said("Which?", buttons=[{"title": "A", "payload": "/a"}]),
        *said("Four."),
    )
    change = composer(project).change(opened(rows), rows, outcome(WAITING, *events))
    assert [dict(m.payload["fields"])["text"] for m in change.outbox] == ["One.\nTwo.\nWhich?[A]", "Four."]
    assert [m.key for m in change.outbox] == ["c1/1:0", "c1/1:1"]
    assert dict(change.outbox[0].payload["fields"])["media"] == "https://pictures.example/2"
    apart = composer(project, segments=None).change(opened(rows), rows, outcome(WAITING, *events))
    assert len(apart.outbox) == 4


def test_a_conversation_without_a_channel_here_sends_nothing(project: Project) -> None:
    rows = [row(1, {"text": "hi"})]
    turn = opened(rows, addresses=Addresses("elsewhere", "tel:+12025550100", "tel:+12025550101"))
    assert composer(project).change(turn, rows, outcome(WAITING, *said("One."))).outbox == []


@pytest.mark.parametrize(
    ("text", "state", "wanted"),
    [("STOP", None, "START"), ("수신거부", None, "수신동의"), ("STOP", State(language="ko", turn=4).to_json(), "수신동의")],
)
def test_consent_is_confirmed_in_the_language_of_the_conversation(
    project: Project, text: str, state: dict[str, Any] | None, wanted: str
) -> None:
    rows = [row(1, {"kind": "stop", "text": text, "answer": "stop"}, "consent")]
    turn = opened(rows, state)
    assert composer(project).inbound(turn, rows) is None
    change = composer(project).without_turn(turn, rows)
    assert [m.purpose for m in change.outbox] == ["consent"]
    assert wanted in dict(change.outbox[0].payload["fields"])["text"]
    assert change.events == [{"event": "consent", "kind": "stop", "id": "e1"}]
    silent = [row(1, {"kind": "stop", "text": text, "answer": ""}, "consent")]
    assert composer(project).without_turn(opened(silent, state), silent).outbox == ()


def test_what_is_given_up_is_recorded_and_the_customer_told(project: Project) -> None:
    rows = [row(1, {"text": "boom"}), row(2, {"text": "bang"})]
    change = composer(project).apology(opened(rows, State(language="ko", turn=1).to_json()), rows, "ValueError")
    assert dict(change.dead) == {1: "ValueError", 2: "ValueError"}
    assert [event["event"] for event in change.events] == ["user", "user", "problem"]
    assert "죄송" in dict(change.outbox[0].payload["fields"])["text"]
    timer = [row(3, {}, "timer", timer="silence", generation=1)]
    assert composer(project).apology(opened(timer, WAITING.to_json()), timer, "ValueError").outbox == []


def test_an_address_is_not_told_in_the_key(project: Project) -> None:
    rows = [row(1, {"text": "hi"})]
    change = composer(project).change(opened(rows), rows, outcome(WAITING, *said("One.")))
    assert Address.parse(HERE.customer).value not in change.outbox[0].key
