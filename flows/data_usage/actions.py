"""Where a line stands with its data."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from flows.common.values import day, slot
from flows.lines.values import gigabytes
from integrations.bss import Bss

Events = list[dict[str, Any]]


class ShowData(Action):  # type: ignore[misc]
    """Sets `data_state` (plenty, low, used_up, unlimited) and the figures behind it."""

    def __init__(self, bss: Bss) -> None:
        self.bss = bss

    def name(self) -> str:
        return "action_show_data"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        usage = await self.bss.data_usage(slot(tracker, "chosen_line_id"))
        left = usage.remaining_gb
        if usage.limit_gb is None or left is None:
            state = "unlimited"
        elif usage.exhausted:
            state = "used_up"
        else:
            # Low is less than a tenth of what there was for the month.
            state = "low" if left * 10 < usage.limit_gb + usage.top_up_gb else "plenty"
        return [
            SlotSet("data_state", state),
            SlotSet("data_remaining", gigabytes(left)),
            SlotSet("data_total", gigabytes(usage.limit_gb + usage.top_up_gb if usage.limit_gb is not None else None)),
            SlotSet("data_used", gigabytes(usage.used_gb)),
            SlotSet("data_until", day(usage.cycle_end)),
        ]
