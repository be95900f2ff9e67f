"""A chart as an SVG picture: cards coloured by kind, words on arrows, a title and a description for screen readers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from ..spec import Flow, Project
from .chart import Chart, Edge, Node, flow_chart, project_chart
from .layout import arrange
from .measure import width, wrap
from .packing import pack
from .palette import BACK_EDGE, EDGE, LABEL_INK, PALETTE
from .shapes import Link, Point, Route, Size

FONTS = (
    "Inter, 'Noto Sans', 'Noto Sans KR', 'Noto Sans CJK KR', 'Apple SD Gothic Neo', 'Malgun Gothic', NanumGothic, "
    "'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
)
MARGIN = 28.0
CARD = 216.0
PAD = 14.0
TEXT, LINE, SMALL, CHIP = 13.0, 18.0, 10.5, 11.5
TITLE = 20.0
INK = "#0f172a"
RADIUS = 9.0


def svg(flow: Flow, project: Project | None = None, language: str = "") -> str:
    """One flow as an SVG document. Texts are in `language`, the project's own when empty."""
    return to_svg(flow_chart(flow, project, language))


def svg_overview(project: Project, language: str = "") -> str:
    """The flows of a project and how they link and call each other, as an SVG document."""
    return to_svg(project_chart(project, language), across=True)


def to_svg(chart: Chart, *, across: bool = False) -> str:
    """Draws a chart from top to bottom, or, `across`, from left to right with unconnected parts one under the other."""
    boxes = {node.id: _Box(node) for node in chart.nodes}
    chips = [_chip_lines(edge.label) for edge in chart.edges]
    links = [Link(edge.source, edge.target, _chip_size(lines)) for edge, lines in zip(chart.edges, chips, strict=True)]
    layout = (pack if across else arrange)({id: box.size for id, box in boxes.items()}, links)
    wide = max(layout.width, 260.0) + 2 * MARGIN
    heading = list(_heading(chart, wide - 2 * MARGIN))
    top = MARGIN + sum(size * 1.5 for _, size, _ in heading) + 14
    left = (wide - layout.width) / 2
    parts = [*_opening(chart, wide, top + layout.height + MARGIN), *_heading_texts(heading)]
    parts.append(f'<g transform="translate({_n(left)} {_n(top)})">')
    for edge, route in zip(chart.edges, layout.routes, strict=True):
        parts.append(_arrow(edge, route))
    for lines, route in zip(chips, layout.routes, strict=True):
        if lines and route.label:
            parts.extend(_chip(lines, route.label, route.back))
    for id, box in boxes.items():
        parts.extend(box.drawn(layout.places[id]))
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


class _Box:
    """A node with its words broken into lines; knows its size, and draws itself around a middle."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.round = node.kind in ("start", "end", "missing") or (node.kind == "noop" and node.text == "?")
        if node.kind == "noop" and node.text == "?":
            self.lines: tuple[str, ...] = ("?",)
            self.size: Size = (30.0, 30.0)
        elif self.round:
            self.lines = wrap(node.text, TEXT, CARD - 2 * PAD, 2) or ("",)
            self.size = (max(width(line, TEXT) for line in self.lines) + 2 * PAD + 6, len(self.lines) * LINE + 12)
        else:
            self.lines = wrap(node.text, TEXT, CARD - 2 * PAD - 5, 3) or ("",)
            self.size = (CARD, 12 + SMALL * 1.5 + len(self.lines) * LINE + 10)

    def drawn(self, middle: Point) -> Iterator[str]:
        node, (wide, high) = self.node, self.size
        x, y = middle[0] - wide / 2, middle[1] - high / 2
        colours = PALETTE[node.kind]
        said = ": ".join(part for part in (node.label, node.text) if part)
        yield f'<g role="listitem" aria-label="{_attribute(said)}"><title>{_text(said)}</title>'
        if node.kind == "noop" and self.round:
            corners = ((middle[0], y), (x + wide, middle[1]), (middle[0], y + high), (x, middle[1]))
            points = " ".join(f"{_n(a)},{_n(b)}" for a, b in corners)
            yield f'<polygon points="{points}" fill="{colours.fill}" stroke="{colours.line}" stroke-width="1.5" stroke-linejoin="round"/>'
        elif self.round:
            dash = ' stroke-dasharray="4 3"' if node.kind == "missing" else ""
            yield _rect(x, y, wide, high, high / 2, colours.fill, colours.line, dash)
        else:
            dash = ' stroke-dasharray="5 3"' if node.kind == "link" else ""
            yield _rect(x, y, wide, high, RADIUS, colours.fill, colours.line, dash)
            if node.kind == "call":
                yield _rect(x + 3.5, y + 3.5, wide - 7, high - 7, RADIUS - 3, "none", colours.line, ' stroke-opacity="0.45"')
            else:
                bar = f"M{_n(x + RADIUS)} {_n(y)}h-0a{RADIUS} {RADIUS} 0 0 0 -{RADIUS} {RADIUS}v{_n(high - 2 * RADIUS)}"
                yield f'<path d="{bar}a{RADIUS} {RADIUS} 0 0 0 {RADIUS} {RADIUS}z" fill="{colours.line}"/>'
        yield from self._words(x, y, middle)
        yield "</g>"

    def _words(self, x: float, y: float, middle: Point) -> Iterator[str]:
        node, colours = self.node, PALETTE[self.node.kind]
        if self.round:
            weight = ' font-weight="600"' if node.kind == "start" else ""
            first = middle[1] - (len(self.lines) - 1) * LINE / 2 + TEXT * 0.35
            for number, line in enumerate(self.lines):
                yield _line(line, middle[0], first + number * LINE, TEXT, colours.ink, f' text-anchor="middle"{weight}')
            return
        label = wrap(node.label, SMALL, CARD - 2 * PAD - 5, 1)
        if label:
            yield _line(label[0], x + PAD + 5, y + 12 + SMALL * 0.8, SMALL, colours.ink, ' font-weight="700" letter-spacing="0.2"')
        for number, line in enumerate(self.lines):
            yield _line(line, x + PAD + 5, y + 12 + SMALL * 1.5 + TEXT + number * LINE, TEXT, INK)


def _opening(chart: Chart, wide: float, high: float) -> Iterator[str]:
    size = f'width="{_n(wide)}" height="{_n(high)}" viewBox="0 0 {_n(wide)} {_n(high)}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc" font-family="{escape(FONTS)}">'
    yield f'<title id="title">{_text(chart.title)}</title>'
    yield f'<desc id="desc">{_text(_spoken(chart))}</desc>'
    yield "<defs>"
    for id, colour in (("arrow", EDGE), ("back", BACK_EDGE)):
        shape = f'<path d="M0 0.6L7.4 4L0 7.4z" fill="{colour}"/>'
        box = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9.5" markerHeight="9.5" markerUnits="userSpaceOnUse" orient="auto"'
        yield f'<marker id="{id}" {box}>{shape}</marker>'
    yield "</defs>"
    yield f'<rect width="{_n(wide)}" height="{_n(high)}" rx="12" fill="#ffffff"/>'


def _spoken(chart: Chart) -> str:
    """The chart in words, for who cannot see it."""
    named = {node.id: node.text or node.label for node in chart.nodes}
    ways = "; ".join(
        f"{named[edge.source]} → {named[edge.target]}" + (f" ({edge.label})" if edge.label else "") for edge in chart.edges[:80]
    )
    return f"{chart.description.rstrip('. ')}. {ways}".strip(". ")


def _heading(chart: Chart, room: float) -> Iterator[tuple[str, float, str]]:
    for line in wrap(chart.title, TITLE, room, 2):
        yield line, TITLE, INK
    for line in wrap(chart.description, TEXT, room, 3):
        yield line, TEXT, "#64748b"


def _heading_texts(heading: Sequence[tuple[str, float, str]]) -> Iterator[str]:
    y = MARGIN
    for line, size, colour in heading:
        yield _line(line, MARGIN, y + size, size, colour, ' font-weight="700"' if size == TITLE else "")
        y += size * 1.5


def _arrow(edge: Edge, route: Route) -> str:
    colour, marker = (BACK_EDGE, "back") if route.back else (EDGE, "arrow")
    dash = ' stroke-dasharray="5 4"' if edge.dashed or route.back else ""
    return f'<path d="{_rounded(route.points)}" fill="none" stroke="{colour}" stroke-width="1.5"{dash} marker-end="url(#{marker})"/>'


def _rounded(points: Sequence[Point], radius: float = 9.0) -> str:
    """A path along the points with rounded corners."""
    if not points:
        return ""
    parts = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for number in range(1, len(points) - 1):
        before, corner, after = points[number - 1 : number + 2]
        into, out = math.dist(before, corner), math.dist(corner, after)
        cut = min(radius, into / 2, out / 2)
        if cut < 0.5:
            parts.append(f"L{_n(corner[0])} {_n(corner[1])}")
            continue
        start = _towards(corner, before, cut / into)
        end = _towards(corner, after, cut / out)
        parts.append(f"L{_n(start[0])} {_n(start[1])}Q{_n(corner[0])} {_n(corner[1])} {_n(end[0])} {_n(end[1])}")
    return "".join([*parts, f"L{_n(points[-1][0])} {_n(points[-1][1])}"])


def _towards(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _chip_lines(label: str) -> tuple[str, ...]:
    return wrap(label, CHIP, 150, 3)


def _chip_size(lines: Sequence[str]) -> Size:
    return (max(width(line, CHIP) for line in lines) + 14, len(lines) * 15.0 + 6) if lines else (0.0, 0.0)


def _chip(lines: Sequence[str], middle: Point, back: bool) -> Iterator[str]:
    wide, high = _chip_size(lines)
    colour = BACK_EDGE if back else "#cbd5e1"
    yield _rect(middle[0] - wide / 2, middle[1] - high / 2, wide, high, 7, "#ffffff", colour, ' stroke-width="1"')
    first = middle[1] - (len(lines) - 1) * 7.5 + CHIP * 0.35
    for number, line in enumerate(lines):
        yield _line(line, middle[0], first + number * 15, CHIP, LABEL_INK, ' text-anchor="middle"')


def _rect(x: float, y: float, wide: float, high: float, radius: float, fill: str, line: str, more: str = "") -> str:
    stroke = "" if "stroke-width" in more else ' stroke-width="1.3"'
    box = f'x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(high)}" rx="{_n(radius)}"'
    return f'<rect {box} fill="{fill}" stroke="{line}"{stroke}{more}/>'


def _line(text: str, x: float, y: float, size: float, colour: str, more: str = "") -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{colour}"{more}>{_text(text)}</text>'


def _text(text: str) -> str:
    """Escaped, without the control signs XML cannot hold."""
    return escape("".join(sign if _allowed(sign) else " " for sign in text), quote=False)


def _attribute(text: str) -> str:
    return _text(" ".join(text.split())).replace('"', "&quot;")


def _allowed(sign: str) -> bool:
    code = ord(sign)
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
