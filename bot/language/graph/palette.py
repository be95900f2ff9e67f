"""Colours of kinds: light fills with dark words, contrast 7:1 or more, told apart by shape and label as well as by colour."""

from __future__ import annotations

from typing import NamedTuple

from .chart import Kind


class Colours(NamedTuple):
    """`fill` of the box, its `line` (and the bar at its side), the `ink` of words."""

    fill: str
    line: str
    ink: str


PALETTE: dict[Kind, Colours] = {
    "start": Colours("#1f2937", "#1f2937", "#ffffff"),
    "end": Colours("#ffffff", "#6b7280", "#374151"),
    "collect": Colours("#eff6ff", "#3b82f6", "#1e3a8a"),
    "say": Colours("#f0fdf4", "#22a35a", "#14532d"),
    "action": Colours("#fff7ed", "#ea7a1a", "#7c2d12"),
    "set_slots": Colours("#f8fafc", "#64748b", "#1e293b"),
    "noop": Colours("#fefce8", "#ca9a04", "#713f12"),
    "link": Colours("#faf5ff", "#9d5cf0", "#581c87"),
    "call": Colours("#fdf4ff", "#c04ad9", "#701a75"),
    "handoff": Colours("#fff1f2", "#e8476a", "#881337"),
    "flow": Colours("#f5f3ff", "#7c6cf0", "#312e81"),
    "pattern": Colours("#f8fafc", "#64748b", "#1e293b"),
    "missing": Colours("#fef2f2", "#dc2626", "#7f1d1d"),
}
EDGE = "#64748b"
BACK_EDGE = "#94a3b8"
LABEL_INK = "#334155"
