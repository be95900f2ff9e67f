"""Where customers are taken to be whose number does not tell."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.language import Project


def home_zone(project: Project) -> ZoneInfo:
    """The zone of the project's own language (`timezones:` in switchboard.yml), else UTC."""
    name = (project.settings.get("timezones") or {}).get(project.language)
    try:
        return ZoneInfo(str(name or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
