"""Whatever a project holds, the linter and the pictures take it: no exception, sound XML, nothing left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.language import (
    END,
    ActionSpec,
    ActionStep,
    Branch,
    Button,
    CallStep,
    CollectStep,
    Condition,
    Flow,
    HandoffStep,
    LinkStep,
    NoopStep,
    Place,
    Project,
    Rejection,
    Response,
    SetSlotsStep,
    Slot,
    Step,
    Validation,
    Variation,
)
from bot.language.check import check
from bot.language.graph import flow_chart, mermaid, mermaid_overview, svg, svg_overview
from bot.language.report import as_json, lines

TEXT = st.one_of(
    st.sampled_from(["", "Hello {a}", "{b:money} {c:x}", "{% if slots.a %}x", "안녕하세요", "[x](a) [y](zz)"]), st.text(max_size=30)
)
NAME = st.sampled_from(["a", "b", "c", "end", "END", "한글", "x y", "@start", "", "slots"])
FLOW = st.sampled_from(["a", "b", "c", "pattern_search", "pattern_human_handoff", "nowhere"])
VALUE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.lists(TEXT, max_size=2))
CONDITION = st.sampled_from(
    [
        Condition.parse(text)
        for text in ("slots.a", "slots.b = 'x' and slots.c > 3 or slots.a", "a", "context.zzz", "slots.{{context.collect}} = 1", "True")
    ]
)
PLACE = st.builds(Place, st.sampled_from(["flows.yml", "<builtin>/x.yml"]), st.integers(1, 50))
BRANCHES = st.lists(st.builds(Branch, st.one_of(NAME, st.just(END)), st.one_of(st.none(), CONDITION), PLACE), max_size=4).map(tuple)
REJECTIONS = st.lists(st.builds(Rejection, CONDITION, NAME), max_size=1).map(tuple)


def steps_of(kind: type[Step], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.builds(kind, id=NAME, next=BRANCHES, place=PLACE, **more)


STEP = st.one_of(
    steps_of(ActionStep, action=st.sampled_from(["utter_a", "action_b", "action_listen", "validate_{{context.collect}}", ""])),
    steps_of(
        CollectStep, slot=NAME, utter=st.sampled_from(["utter_a", "utter_ask_b"]), rejections=REJECTIONS, ask_before_filling=st.booleans()
    ),
    steps_of(SetSlotsStep, assignments=st.lists(st.tuples(NAME, VALUE), max_size=2).map(tuple)),
    steps_of(LinkStep, flow=FLOW),
    steps_of(CallStep, flow=FLOW),
    steps_of(NoopStep),
    steps_of(HandoffStep, reason=TEXT, priority=st.integers(-1, 7)),
)
EXAMPLES = st.dictionaries(st.sampled_from(["en", "ko", "zz"]), st.lists(TEXT, max_size=3).map(tuple), max_size=2)
FLOWS = st.builds(
    Flow,
    id=FLOW,
    description=TEXT,
    steps=st.lists(STEP, max_size=7).map(tuple),
    version=st.just("1"),
    name=TEXT,
    guard=st.one_of(st.none(), st.just(False), CONDITION),
    persisted_slots=st.lists(NAME, max_size=2).map(tuple),
    requires=st.sampled_from([None, "known", "verified"]),
    examples=EXAMPLES,
    place=PLACE,
)
SLOTS = st.builds(
    Slot,
    name=NAME,
    type=st.sampled_from(["text", "bool", "categorical", "float", "any", "list"]),
    initial_value=VALUE,
    values=st.lists(TEXT, max_size=3).map(tuple),
    minimum=st.one_of(st.none(), st.floats()),
    maximum=st.one_of(st.none(), st.floats()),
    controlled=st.booleans(),
    validation=st.one_of(st.none(), st.builds(Validation, REJECTIONS, NAME)),
    place=PLACE,
)
BUTTONS = st.builds(
    Button, TEXT, st.sampled_from(["", "yes", "/SetSlots(a=1)", "/SetSlots(", "/x", '/SetSlots(a="1, 2", b=)']), st.just({})
)
VARIATIONS = st.builds(
    Variation,
    text=TEXT,
    texts=st.dictionaries(st.sampled_from(["ko", "zz"]), TEXT, max_size=2),
    buttons=st.lists(BUTTONS, max_size=2).map(tuple),
    channel=st.sampled_from(["", "sms", "voice"]),
    condition=st.one_of(st.none(), CONDITION),
    template=st.sampled_from(["", "jinja"]),
    verbatim=st.booleans(),
    rephrase=st.booleans(),
    place=PLACE,
)
RESPONSES = st.builds(Response, st.sampled_from(["utter_a", "utter_ask_b", "utter_c"]), st.lists(VARIATIONS, max_size=2).map(tuple), PLACE)
ACTIONS = st.builds(ActionSpec, st.sampled_from(["action_b", "action_ask_a", "validate_a", ""]), st.booleans(), PLACE)
PROJECTS = st.builds(
    lambda flows, slots, responses, actions, languages: Project(
        Path("."),
        {flow.id: flow for flow in flows},
        {slot.name: slot for slot in slots},
        {response.name: response for response in responses},
        {action.name: action for action in actions},
        additional_languages=languages,
    ),
    st.lists(FLOWS, max_size=4),
    st.lists(SLOTS, max_size=4),
    st.lists(RESPONSES, max_size=3),
    st.lists(ACTIONS, max_size=2),
    st.sampled_from([(), ("ko",)]),
)
GENEROUS = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(PROJECTS)
@GENEROUS
def test_the_linter_takes_every_project(project: Project) -> None:
    problems = check(project, knows_action=lambda name: False, mentions=lambda name: False)
    assert len(lines(problems)) == len(problems) + 1
    assert as_json(problems)
    assert problems == check(project, knows_action=lambda name: False, mentions=lambda name: False)


@given(PROJECTS)
@GENEROUS
def test_every_picture_is_whole(project: Project) -> None:
    for flow in project.flows.values():
        root = ElementTree.fromstring(svg(flow, project, "ko"))
        chart = flow_chart(flow, project, "ko")
        kinds = [element.tag.partition("}")[2] for element in root.iter()]
        assert sum(element.get("role") == "listitem" for element in root.iter()) == len(chart.nodes)
        assert sum(element.get("marker-end") is not None for element in root.iter()) == len(chart.edges)
        assert kinds.count("desc") == 1
        drawn = flow_chart(flow, project, "", targets=True)
        text = mermaid(flow, project)
        assert sum("-->" in line or "-.->" in line for line in text.splitlines()) == len(drawn.edges)
    ElementTree.fromstring(svg_overview(project))
    assert mermaid_overview(project).startswith("---\ntitle: ")
