"""A kept version is the same flow: everything that runs survives JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.language import Project, load
from bot.language.codec import flow_from_json, flow_to_json

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def reference() -> Project:
    return load(ROOT).project


def test_every_flow_of_the_reference_bot_survives(reference: Project) -> None:
    assert len(reference.flows) > 30
    for flow in reference.flows.values():
        read = flow_from_json(json.loads(json.dumps(flow_to_json(flow))))
        assert read.steps == flow.steps
        assert (read.id, read.version, read.guard, read.requires, read.persisted_slots, read.run_pattern_completed) == (
            flow.id,
            flow.version,
            flow.guard,
            flow.requires,
            flow.persisted_slots,
            flow.run_pattern_completed,
        )


def test_another_format_is_refused(reference: Project) -> None:
    data = {**flow_to_json(next(iter(reference.flows.values()))), "format": 99}
    with pytest.raises(ValueError, match="format 99"):
        flow_from_json(data)
