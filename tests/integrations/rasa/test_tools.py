from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from bot.dialogue.actions import ActionCall
from integrations.rasa import RESPONSE_ALIASES, Call, call
from integrations.rasa.wire import tracker_json


def test_call_reads_what_the_host_wrote() -> None:
    rasa_sdk = pytest.importorskip("rasa_sdk")
    now = datetime(2026, 7, 1, 9, 30, tzinfo=timezone(timedelta(hours=9)))
    made = ActionCall("action_a", "key-9", "c", {}, "안녕", now, "ko", "voice", {})
    tracker = rasa_sdk.Tracker.from_dict(tracker_json(made))
    assert call(tracker) == Call(key="key-9", now=now, language="ko", channel="voice", text="안녕")
    assert call(tracker).now.utcoffset() == timedelta(hours=9)


def test_call_says_what_is_missing() -> None:
    rasa_sdk = pytest.importorskip("rasa_sdk")
    tracker = rasa_sdk.Tracker.from_dict({"sender_id": "c", "latest_message": {"text": "hi"}})
    with pytest.raises(LookupError, match="idempotency_key.*action host"):
        call(tracker)


def test_aliases_cannot_be_changed() -> None:
    assert RESPONSE_ALIASES["utter_flow_cancelled_rasa"] == "utter_flow_cancelled"
    with pytest.raises(TypeError):
        RESPONSE_ALIASES["utter_x"] = "y"  # type: ignore[index]
