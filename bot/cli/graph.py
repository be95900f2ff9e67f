"""`switchboard graph`."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from .failures import UsageError
from .projects import load_project


def run(flow_id: str | None, project: Path | None, form: str | None, output: Path | None, language: str | None) -> int:
    """Writes the drawing of a flow, or of the whole project when no flow is named."""
    from bot.language.graph import mermaid, mermaid_overview, png, svg, svg_overview

    loaded = load_project(project)
    form = form or (output.suffix.lstrip(".").lower() if output else "") or "mermaid"
    form = {"mmd": "mermaid", "md": "mermaid", "txt": "mermaid"}.get(form, form)
    if form not in ("mermaid", "svg", "png"):
        raise UsageError(f"format {form!r}: choose mermaid, svg or png")
    if form == "png" and output is None and sys.stdout.isatty():
        raise UsageError("a PNG needs a file: add --output flow.png")
    language = language or loaded.project.language
    if flow_id is None:
        text = mermaid_overview(loaded.project, language) if form == "mermaid" else svg_overview(loaded.project, language)
    else:
        flow = loaded.project.flows.get(flow_id)
        if flow is None:
            close = difflib.get_close_matches(flow_id, loaded.project.flows, n=1)
            raise UsageError(f"there is no flow {flow_id!r}" + (f"; did you mean {close[0]}?" if close else ""))
        text = mermaid(flow, loaded.project, language) if form == "mermaid" else svg(flow, loaded.project, language)
    drawing = png(text) if form == "png" else text.encode()
    if output is not None:
        output.write_bytes(drawing)
    else:
        sys.stdout.buffer.write(drawing)
        sys.stdout.buffer.flush()
    return 0
