"""Pictures of flows: everything is drawn, nothing over anything else, words fit, and a PNG comes out."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language import (
    END,
    ActionStep,
    Branch,
    CallStep,
    CollectStep,
    Condition,
    Flow,
    HandoffStep,
    LinkStep,
    NoopStep,
    Project,
    Response,
    SetSlotsStep,
    Slot,
    Variation,
)
from bot.language.graph import PictureError, can_draw, flow_chart, mermaid, mermaid_overview, png, project_chart, svg, svg_overview
from bot.language.graph.layout import arrange
from bot.language.graph.measure import width, wrap
from bot.language.graph.packing import pack
from bot.language.graph.shapes import Layout, Link, Point

SVG = "{http://www.w3.org/2000/svg}"


def to(target: str, condition: str = "") -> Branch:
    return Branch(target, Condition.parse(condition) if condition else None)


REFUND = Flow(
    "refund",
    "The customer wants money back",
    (
        CollectStep(id="amount", slot="amount", utter="utter_ask_amount", next=(to("check"),)),
        ActionStep(id="check", action="action_check", next=(to("end", "slots.amount > 100"), to("again", "slots.amount < 1"), to("pay"))),
        SetSlotsStep(id="again", assignments=(("amount", None), ("sure", True)), next=(to("amount"),)),
        HandoffStep(id="end", reason="a large refund", skill="billing", next=(to(END),)),
        CallStep(id="pay", flow="payout", next=(to("done"),)),
        ActionStep(id="done", action="utter_done", next=(to("which"),)),
        NoopStep(id="which", next=(to(END, "slots.sure"), to("other"))),
        LinkStep(id="other", flow="survey"),
    ),
    "1",
    name="get a refund",
    names={"ko": "환불"},
)
PAYOUT = Flow("payout", "Pays", (ActionStep(id="p", action="action_pay", next=(to(END),)),), "1")
ALONE = Flow("alone", "Nothing links here", (ActionStep(id="p", action="utter_done", next=(to(END),)),), "1", requires="verified")
PROJECT = Project(
    Path("."),
    {flow.id: flow for flow in (REFUND, PAYOUT, ALONE)},
    {"amount": Slot("amount", "float")},
    {
        "utter_ask_amount": Response("utter_ask_amount", (Variation("How much is it?", {"ko": "얼마를 환불해 드릴까요?"}),)),
        "utter_done": Response(
            "utter_done", (Variation('{{ slots.amount | written("money", "en") }} {% if x %}is{% endif %} paid', template="jinja"),)
        ),
    },
    {},
    additional_languages=("ko",),
)


def words(picture: str) -> str:
    return " ".join(element.text or "" for element in ElementTree.fromstring(picture).iter(f"{SVG}text"))


def test_mermaid_keeps_the_designers_ids() -> None:
    assert mermaid(REFUND, PROJECT).splitlines()[:28] == [
        "---",
        'title: "get a refund"',
        "---",
        "flowchart TD",
        '    s__start(["Start"])',
        '    amount[/"ask amount:<br/>How much is it?"/]',
        '    check[["action:<br/>action_check"]]',
        '    again["set:<br/>amount = empty, sure = yes"]',
        '    s_end{{"hand over · billing:<br/>a large refund"}}',
        '    pay[["call:<br/>payout"]]',
        '    done("say:<br/>{amount} is paid")',
        '    which{"?"}',
        '    other>"go to:<br/>survey"]',
        '    s__end(("End"))',
        '    s__flow(["payout"])',
        '    s__end2(("End"))',
        '    s__flow2(["survey"])',
        "    s__start --> amount",
        "    amount --> check",
        '    check -->|"amount #gt; 100"| s_end',
        '    check -->|"amount #lt; 1"| again',
        '    check -->|"else"| pay',
        "    again --> amount",
        "    s_end --> s__end",
        "    pay --> done",
        '    pay -->|"calls"| s__flow',
        "    done --> which",
        '    which -->|"sure"| s__end2',
    ]


def test_mermaid_speaks_the_language_asked_for() -> None:
    text = mermaid(REFUND, PROJECT, "ko")
    assert 'title: "환불"' in text
    assert "얼마를 환불해 드릴까요?" in text


def test_mermaid_escapes_what_would_end_a_label() -> None:
    flow = Flow("f", "d", (HandoffStep(id="a b", reason='say "no" <b>`x`', next=(to(END),)),), "1", name='a "b"')
    text = mermaid(flow)
    assert 's_a_b{{"hand over · general:<br/>say #quot;no#quot; #lt;b#gt;#96;x#96;"}}' in text
    assert 'title: "a \\"b\\""' in text


def test_ids_that_would_be_the_same_stay_apart() -> None:
    flow = Flow(
        "f",
        "d",
        (NoopStep(id="a b", next=(to("a-b"),)), NoopStep(id="a-b", next=(to("s_a_b"),)), NoopStep(id="s_a_b", next=(to(END),))),
        "1",
    )
    declared = re.findall(r"^    (\w+)[({]", mermaid(flow), re.MULTILINE)
    assert len(declared) == len(set(declared)) == 5


def test_svg_says_everything_and_names_itself() -> None:
    picture = svg(REFUND, PROJECT)
    root = ElementTree.fromstring(picture)
    assert root.get("role") == "img"
    assert [element.text for element in root.findall(f"{SVG}title")] == ["get a refund"]
    described = root.find(f"{SVG}desc")
    assert described is not None
    assert "action_check → a large refund (amount > 100)" in (described.text or "")
    said = words(picture)
    for part in (
        "How much is it?",
        "action_check",
        "amount = empty,",
        "a large refund",
        "hand over · billing",
        "payout",
        "survey",
        "amount > 100",
        "else",
    ):
        assert part in said, part


def test_svg_in_korean() -> None:
    said = words(svg(REFUND, PROJECT, "ko"))
    assert "얼마를 환불해 드릴까요?" in said
    assert "시작" in said


def test_an_unknown_target_is_shown_as_missing() -> None:
    flow = Flow("f", "d", (NoopStep(id="a", next=(to("nowhere"),)),), "1")
    assert [(node.kind, node.text) for node in flow_chart(flow).nodes][-1] == ("missing", "nowhere")


def test_two_ways_to_one_step_are_one_arrow() -> None:
    flow = Flow("f", "d", (NoopStep(id="a", next=(to(END, "slots.x"), to(END, "slots.y"), to(END))),), "1")
    assert [edge.label for edge in flow_chart(flow).edges] == ["", "x or y or else"]


def test_the_overview_shows_calls_and_links() -> None:
    chart = project_chart(PROJECT)
    assert [(edge.source, edge.target, edge.dashed) for edge in chart.edges] == [("refund", "payout", False), ("refund", "survey", True)]
    assert {node.id: node.kind for node in chart.nodes} == {"refund": "flow", "payout": "flow", "alone": "flow", "survey": "missing"}
    said = words(svg_overview(PROJECT))
    assert "steps: 1 · verified" in said
    assert "get a refund" in said
    assert "refund -.-> survey" in mermaid_overview(PROJECT)


# --- layout --------------------------------------------------------------------------------------------------------------------------

IDS = [f"n{number}" for number in range(12)]
LINKS = st.lists(st.builds(Link, st.sampled_from(IDS), st.sampled_from(IDS), st.sampled_from([(0.0, 0.0), (80.0, 20.0)])), max_size=24)
SIZES = {id: (216.0 if number % 3 else 40.0, 40.0 + 7 * number) for number, id in enumerate(IDS)}


def boxes_of(layout: Layout, sizes: dict[str, tuple[float, float]], links: list[Link]) -> list[tuple[float, float, float, float]]:
    found = [(*layout.places[id], *sizes[id]) for id in layout.places]
    found += [(*route.label, *link.label) for route, link in zip(layout.routes, links, strict=True) if route.label and not route.back]
    return [(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2) for x, y, wide, high in found]


def crosses(one: Point, other: Point, box: tuple[float, float, float, float]) -> bool:
    """Whether an upright or level line runs through the inside of a box."""
    left, right = sorted((one[0], other[0]))
    top, bottom = sorted((one[1], other[1]))
    return left < box[2] - 1 and right > box[0] + 1 and top < box[3] - 1 and bottom > box[1] + 1


@pytest.mark.parametrize("place", [arrange, pack])
@given(links=LINKS)
@settings(deadline=None, max_examples=60)
def test_nothing_is_drawn_over_anything(place: object, links: list[Link]) -> None:
    layout: Layout = place(SIZES, links)  # type: ignore[operator]
    assert set(layout.places) == set(SIZES)
    boxes = boxes_of(layout, SIZES, links)
    for number, one in enumerate(boxes):
        assert min(one) >= -1
        assert one[2] <= layout.width + 1
        assert one[3] <= layout.height + 1
        for other in boxes[number + 1 :]:
            assert one[0] >= other[2] - 0.5 or other[0] >= one[2] - 0.5 or one[1] >= other[3] - 0.5 or other[1] >= one[3] - 0.5


@given(LINKS)
@settings(deadline=None, max_examples=60)
def test_no_line_runs_through_a_box(links: list[Link]) -> None:
    layout = arrange(SIZES, links)
    nodes = [
        (x - SIZES[id][0] / 2, y - SIZES[id][1] / 2, x + SIZES[id][0] / 2, y + SIZES[id][1] / 2) for id, (x, y) in layout.places.items()
    ]
    for route in layout.routes:
        for one, other in zip(route.points, route.points[1:], strict=False):
            assert abs(one[0] - other[0]) < 1.5 or abs(one[1] - other[1]) < 0.1, "lines are upright or level"
            assert not any(crosses(one, other, box) for box in nodes)


@given(LINKS)
@settings(deadline=None, max_examples=40)
def test_lines_begin_and_end_at_their_boxes(links: list[Link]) -> None:
    layout = arrange(SIZES, links)
    for link, route in zip(links, layout.routes, strict=True):
        for id, point in ((link.source, route.points[0]), (link.target, route.points[-1])):
            (x, y), (wide, high) = layout.places[id], SIZES[id]
            assert abs(point[0] - x) <= wide / 2 + 0.1
            assert abs(point[1] - y) <= high / 2 + 0.1


def test_a_straight_flow_is_drawn_straight() -> None:
    sizes = dict.fromkeys("abcd", (100.0, 40.0))
    layout = arrange(sizes, [Link("a", "b"), Link("b", "c", (50.0, 20.0)), Link("c", "d")])
    assert len({round(x, 3) for x, _ in layout.places.values()}) == 1
    assert [y for _, y in layout.places.values()] == sorted(y for _, y in layout.places.values())


def test_sixty_steps_are_laid_out_quickly() -> None:
    import time

    steps = []
    for number in range(60):
        ways = (
            (to(f"s{number + 1}", "slots.x > 1"), to(f"s{number + 3}", "slots.y = 2"), to(f"s{max(number - 7, 0)}"))
            if number % 4 == 1
            else (to(f"s{number + 1}"),)
        )
        steps.append(NoopStep(id=f"s{number}", description=f"step number {number} of many", next=ways))
    before = time.process_time()
    svg(Flow("long", "d", tuple(steps), "1"))
    assert time.process_time() - before < 5


# --- words ---------------------------------------------------------------------------------------------------------------------------


def test_hangul_counts_as_wide() -> None:
    assert width("한글", 10) == 20
    assert width("ab", 10) < 14


@given(st.text(max_size=80), st.floats(40, 300))
def test_wrapped_lines_fit(text: str, room: float) -> None:
    lines = wrap(text, 12, room, 3)
    assert len(lines) <= 3
    assert all(width(line, 12) <= room for line in lines if len(line) > 1)
    if len(lines) < 3 and not (lines and lines[-1].endswith("…")):
        assert "".join(lines).replace(" ", "") == "".join(text.split())


def test_long_names_break_at_their_joints() -> None:
    assert wrap("action_check_the_whole_account", 13, 130, 3)[0].endswith("_")


# --- PNG -----------------------------------------------------------------------------------------------------------------------------


def test_png_has_the_size_asked_for() -> None:
    picture = svg(REFUND, PROJECT)
    root = ElementTree.fromstring(picture)
    drawn = png(picture, scale=2.0, strict=False)
    assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high = struct.unpack(">II", drawn[16:24])
    assert abs(wide - 2 * float(root.attrib["width"])) <= 2
    assert abs(high - 2 * float(root.attrib["height"])) <= 2


def test_a_font_without_the_letters_is_told() -> None:
    letters = "\U000f0000"  # a private letter
    assert not can_draw(letters)


def test_korean_without_a_korean_font_is_refused_clearly() -> None:
    picture = svg(REFUND, PROJECT, "ko")
    if can_draw("가힣"):
        assert png(picture)
        return
    with pytest.raises(PictureError, match="Hangul"):
        png(picture)
    assert png(picture, strict=False)


def test_no_svg_is_refused() -> None:
    with pytest.raises(PictureError, match="cannot be drawn"):
        png("<nothing", strict=False)
