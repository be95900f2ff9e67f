from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.channels import Address, ConversationKey
from bot.testing.doubles.twilio import TwilioDouble
from integrations.twilio import TwilioChannel, TwilioSettings, open_channel

NAME = "twilio_api_v2010.json"


def find_description() -> Path | None:
    """Twilio's own API description: in the folder SWITCHBOARD_SPECS names, or in a folder `specs/twilio` beside the checkout."""
    root = Path(__file__).resolve().parents[3]
    named = os.environ.get("SWITCHBOARD_SPECS")
    found = [Path(named) / NAME, Path(named) / "twilio" / NAME] if named else sorted(root.parent.glob(f"*/specs/twilio/{NAME}"))
    return next((path for path in found if path.is_file()), None)


@pytest.fixture(scope="session")
def description() -> Path | None:
    return find_description()


@pytest.fixture
async def twilio(description: Path | None) -> AsyncIterator[TwilioDouble]:
    async with TwilioDouble(description=description) as double:
        yield double
    assert double.violations == []


@pytest.fixture
def quick(twilio: TwilioDouble) -> TwilioSettings:
    return replace(TwilioSettings.from_env(twilio.environment()), send_timeout=1.5, list_timeout=1.5, media_timeout=3.0)


@pytest.fixture
async def channel(quick: TwilioSettings) -> AsyncIterator[TwilioChannel]:
    async with open_channel(quick, trust_env=False) as opened:
        yield opened


@pytest.fixture
def key() -> ConversationKey:
    return ConversationKey("twilio", Address("tel", "+12025550100"), Address("tel", "+12025550101"))
