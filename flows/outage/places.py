"""Outages as slots hold them, and the name of a place inside what a customer said. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flows.lines.values import local_day, local_time
from integrations.bss.models import Area, ServiceProblem

# "in Chicago", "the San Francisco area", "near 94110"; "해운대 쪽이에요", "제주도에서", "강남구 지역".
_AROUND = re.compile(
    r"^(?:i'?m |we'?re |it'?s )?(?:in|at|near|around|for|from)?\s*(?:the )?|\s+(?:area|city|region|right now|now|today|please)$",
    re.IGNORECASE,
)
_PARTICLES = re.compile(r"\s*(?:쪽|지역|근처|동네|시내)?(?:이에요|예요|에요|입니다|인데요|에서는|에서요|에서|이요|요|은요|는요|은|는|에)?$")


def place_name(said: str) -> str:
    """What a customer said, without the words around a place's name."""
    text = said.strip().strip("?.!")
    text = _AROUND.sub("", text).strip()
    return _PARTICLES.sub("", text).strip() or said.strip()


def most_urgent(problems: Sequence[ServiceProblem]) -> ServiceProblem | None:
    """The one to tell when there are several: an outage before planned work, then what touches most services."""
    return min(problems, key=lambda problem: (problem.planned, -len(problem.services), problem.id), default=None)


def outage_slots(problem: ServiceProblem | None, area: Area | None, now: datetime, language: str) -> dict[str, Any]:
    """What is told about an outage; everything empty when there is none. Days and times are those of the place."""
    eta = problem.expected_resolution if problem else None
    zone = area.timezone if area else "UTC"
    return {
        "outage_id": problem.id if problem else None,
        "outage_area": area.name.text(language) if area else None,
        "outage_planned": problem.planned if problem else None,
        "outage_services": [service.value for service in problem.services] if problem else None,
        "outage_cause": problem.cause.text(language) if problem else None,
        "outage_since": local_time(problem.started, zone, language) if problem else None,
        "outage_eta_time": local_time(eta, zone, language) if eta else None,
        "outage_eta_day": local_day(eta, zone) if eta else None,
        "outage_eta_today": local_day(eta, zone) == local_day(now, zone) if eta else None,
        "outage_overdue": eta < now if eta else None,
    }
