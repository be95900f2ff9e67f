"""What is wrong or refused in a project: said with place, code and hint, and the rest still loads. Never an exception."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.language import END, NoopStep, Project, load
from bot.language.spec import LinkStep

PROJECTS = Path(__file__).parent / "projects"


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


REFUSED = {
    "config.yml:3:5": "refused-nlu-pipeline",
    "config.yml:6:5": "refused-custom-component",
    "config.yml:7:5": "refused-coexistence",
    "data/flows.yml:4:5": "refused-nlu-trigger",
    "data/flows.yml:8:15": "refused-call-tool",
    "data/flows.yml:13:15": "refused-call-agent",
    "data/flows.yml:14:15": "refused-call-agent",
    "data/flows.yml:17:9": "refused-beta-step",
    "data/flows.yml:19:9": "refused-beta-step",
    "data/flows.yml:20:9": "refused-beta-step",
    "data/legacy.yml:2:1": "refused-nlu-data",
    "data/legacy.yml:6:1": "refused-stories",
    "data/legacy.yml:9:1": "refused-rules",
    "domain/domain.yml:3:1": "refused-forms",
    "domain/domain.yml:5:1": "refused-e2e-actions",
    "domain/domain.yml:10:9": "refused-slot-mapping",
    "domain/domain.yml:15:16": "refused-slot-mapping",
    "domain/domain.yml:18:16": "refused-slot-mapping",
    "domain/domain.yml:21:5": "refused-coexistence",
    "domain/domain.yml:22:16": "deprecated-mapping",
    "domain/domain.yml:22:31": "refused-action-every-turn",
    "domain/domain.yml:25:35": "refused-action-every-turn",
    "domain/domain.yml:25:72": "refused-coexistence",
    "sub_agents:1:1": "refused-sub-agents",
}


def test_everything_we_do_not_run_is_refused_by_name_at_its_place(tmp_path: Path) -> None:
    loaded = load(PROJECTS / "refused", patterns=tmp_path)
    assert {str(problem.place): problem.code for problem in loaded.problems} == REFUSED
    assert all(problem.hint for problem in loaded.problems)


def test_a_project_runs_without_what_is_refused(tmp_path: Path) -> None:
    loaded = load(PROJECTS / "refused", patterns=tmp_path)
    assert loaded.errors == ()
    flow = loaded.project.flows["buy"]
    assert [type(step) is NoopStep for step in flow.steps] == [True] * 6 + [False]
    assert flow.by_id["old"].next[0].target == "last"
    assert flow.by_id["price"].next[0].target == "1_call_car_agent"
    assert loaded.project.slots["said"].controlled is False
    assert loaded.project.slots["price"].controlled is True


def test_empty_legacy_keys_are_not_refused(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {"domain.yml": "forms: {}\ne2e_actions: []\nversion: '3.1'\n", "data/n.yml": "nlu: []\nstories:\n"})
    assert load(root, patterns=tmp_path / "none").problems == ()


def test_a_syntax_error_costs_its_own_file_only(tmp_path: Path) -> None:
    root = write(
        tmp_path / "p",
        {
            "data/bad.yml": "flows:\n  a:\n    description: Pay: now\n    steps: []\n",
            "data/good.yml": "flows: {b: {description: B, steps: [{action: utter_b}]}}\n",
        },
    )
    loaded = load(root, patterns=tmp_path / "none")
    (problem,) = loaded.problems
    assert (str(problem.place), problem.code, problem.severity) == ("data/bad.yml:3:21", "yaml-syntax", "error")
    assert "quotes" in problem.hint
    assert set(loaded.project.flows) == {"b"}


def test_duplicate_keys_are_found_wherever_they_are(tmp_path: Path) -> None:
    steps = "      - action: utter_a\n        next: END\n        next: x\n"
    text = f"flows:\n  a:\n    description: A\n    steps:\n{steps}  a:\n    description: B\n"
    loaded = load(write(tmp_path / "p", {"data/f.yml": text}), patterns=tmp_path / "none")
    assert [(str(problem.place), problem.code) for problem in loaded.problems] == [
        ("data/f.yml:7:9", "yaml-duplicate-key"),
        ("data/f.yml:8:3", "yaml-duplicate-key"),
    ]
    assert loaded.project.flows["a"].description == "A"


@pytest.mark.parametrize(
    ("files", "code", "place"),
    [
        ({"switchboard.yml": "compat: 3.12\n"}, "bad-setting", "switchboard.yml:1:9"),
        ({"switchboard.yml": "- a\n"}, "bad-setting", "switchboard.yml:1:1"),
        ({"switchboard.yml": "language: [\n"}, "yaml-syntax", "switchboard.yml:2:1"),
        ({"flows/a/flows.yml": "flowz: {}\n"}, "unknown-key", "flows/a/flows.yml:1:1"),
        ({"flows/a/flows.yml": "colour: red\n"}, "unknown-key", "flows/a/flows.yml:1:1"),
        ({"flows/a/flows.yml": "- a\n"}, "bad-file", "flows/a/flows.yml:1:1"),
        ({"flows/a/flows.yml": "flows: [a]\n"}, "bad-file", "flows/a/flows.yml:1:8"),
        ({"data/f.yml": "responces: {}\n"}, "unknown-key", "data/f.yml:1:1"),
        ({"data/f.yml": "flows: {a: text}\n"}, "bad-flow", "data/f.yml:1:9"),
        ({"data/f.yml": b"flows: {}\n# caf\xe9\n"}, "yaml-syntax", "data/f.yml:2:6"),
    ],
)
def test_problems_of_files(tmp_path: Path, files: dict[str, str | bytes], code: str, place: str) -> None:
    (problem,) = load(write(tmp_path / "p", files), patterns=tmp_path / "none").problems
    assert (problem.code, str(problem.place)) == (code, place)


def test_an_unknown_compat_falls_back_and_lists_the_known_ones(tmp_path: Path) -> None:
    loaded = load(write(tmp_path / "p", {"switchboard.yml": "compat: '2'\n"}), patterns=tmp_path / "none")
    assert loaded.project.compat == "3.16"
    assert "3.11, 3.14, 3.16" in loaded.problems[0].hint


def test_a_slip_of_the_pen_is_an_error_and_a_new_word_a_warning(tmp_path: Path) -> None:
    text = "flows:\n  a:\n    descripton: A\n    flavour: sweet\n    description: A\n    steps: [{action: utter_a}]\n"
    loaded = load(write(tmp_path / "p", {"data/f.yml": text}), patterns=tmp_path / "none")
    assert [(problem.place.line, problem.severity) for problem in loaded.problems] == [(3, "error"), (4, "warning")]
    assert loaded.problems[0].hint == "did you mean `description`?"
    assert "sweet" not in str(loaded.problems)


# --- anything at all ----------------------------------------------------------------------------------------------------------------------

WORDS = (
    "flows slots responses actions session_config examples steps description id next if then else action collect set_slots link call "
    "noop handoff rejections utter type values mappings validation initial_value min_value text buttons condition translation metadata "
    "name requires persisted_slots nlu_trigger forms stories a b utter_a pattern_x reason priority compat END"
)
KEYS = st.sampled_from(WORDS.split())
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.floats(),
    st.sampled_from(["END", "a", "slots.a > 1", "slots.a >", "{{context.x}}", "utter_a", "from_llm", "controlled", "text", "verified", ""]),
    st.text(max_size=6),
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)), max_leaves=25
)
NAMED = st.dictionaries(KEYS, st.dictionaries(KEYS, ANYTHING, max_size=5), max_size=3)
STEPS = st.lists(st.dictionaries(KEYS, ANYTHING, max_size=3), max_size=4)
FLOWS = st.dictionaries(KEYS, st.fixed_dictionaries({"steps": STEPS}), max_size=3)
FILES = st.one_of(
    ANYTHING,
    st.fixed_dictionaries(
        {}, optional={"flows": st.one_of(FLOWS, NAMED), "slots": NAMED, "responses": NAMED, "examples": NAMED, "actions": ANYTHING}
    ),
)


def assert_whole(project: Project) -> None:
    for flow in project.flows.values():
        assert len(flow.by_id) == len(flow.steps)
        for step in flow.steps:
            assert bool(step.next) is not isinstance(step, LinkStep)
            assert step.id != END


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=FILES, ours=st.booleans())
def test_no_content_makes_the_loader_raise(tmp_path: Path, content: Any, ours: bool) -> None:
    name = "flows/s/flows.yml" if ours else "data/flows.yml"
    root = write(tmp_path / ("ours" if ours else "documented"), {name: json.dumps(content, ensure_ascii=False), "domain.yml": "slots: {}"})
    loaded = load(root, patterns=tmp_path / "none")
    assert_whole(loaded.project)
    assert all(problem.place.file in (name, "domain.yml") for problem in loaded.problems)
    json.dumps(loaded.project.domain)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.binary(max_size=60), st.text(alphabet="flows: -[]{}&*a!|>'\"#\t\n%?@`,~<", max_size=80).map(str.encode)))
def test_no_text_makes_the_loader_raise(tmp_path: Path, text: bytes) -> None:
    root = write(tmp_path / "p", {"data/flows.yml": text, "switchboard.yml": text})
    assert_whole(load(root, patterns=tmp_path / "none").project)
