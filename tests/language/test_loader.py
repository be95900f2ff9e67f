"""Loading a project: both layouts, merging, built-in patterns, aliases, settings."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from bot.language import END, NOWHERE, Loaded, Place, Problem, ProjectNotFound, load

PROJECTS = Path(__file__).parent / "projects"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content), encoding="utf-8")
    return root


@pytest.fixture
def no_patterns(tmp_path: Path) -> Path:
    folder = tmp_path / "no_patterns"
    folder.mkdir()
    return folder


@pytest.fixture
def documented(no_patterns: Path) -> Loaded:
    return load(PROJECTS / "documented", patterns=no_patterns)


@pytest.fixture
def ours(no_patterns: Path) -> Loaded:
    return load(PROJECTS / "ours", patterns=no_patterns)


def codes(loaded: Loaded) -> list[str]:
    return [problem.code for problem in loaded.problems]


def flow_yaml(name: str, action: str = "utter_x") -> str:
    return f"flows: {{{name}: {{description: Does {name}, steps: [{{action: {action}}}]}}}}\n"


# --- the documented layout ----------------------------------------------------------------------------------------------------------------


def test_the_documented_layout_is_merged_without_problems(documented: Loaded) -> None:
    project = documented.project
    assert documented.problems == ()
    assert set(project.flows) == {"top_up", "see_balance", "read_balance", "pattern_session_start"}
    assert set(project.slots) == {"topup_amount", "topup_confirmed", "plan", "balance", "phone_type"}
    assert set(project.actions) == {"action_top_up", "action_read_balance", "action_log"}
    assert project.languages == ("en", "ko")
    assert project.compat == "3.16"
    assert project.settings == {"name": "river-mobile"}


def test_tests_hidden_folders_and_foreign_files_are_passed_over(documented: Loaded, ours: Loaded) -> None:
    assert "must_not_be_read" not in documented.project.flows
    assert "must_not_be_read" not in ours.project.flows


def test_session_settings(documented: Loaded, ours: Loaded) -> None:
    assert documented.project.session.expiry_minutes == 30
    assert documented.project.session.carry_over_slots is False
    assert ours.project.session.expiry_minutes == 60
    assert ours.project.session.carry_over_slots is True


def test_session_settings_merge_over_files(tmp_path: Path, no_patterns: Path) -> None:
    root = write(
        tmp_path / "p",
        {
            "domain/a.yml": "session_config: {session_expiration_time: 5}\n",
            "domain/b.yml": "session_config: {carry_over_slots_to_new_session: false}\n",
        },
    )
    loaded = load(root, patterns=no_patterns)
    assert (loaded.project.session.expiry_minutes, loaded.project.session.carry_over_slots) == (5, False)
    assert loaded.project.domain["session_config"] == {"session_expiration_time": 5, "carry_over_slots_to_new_session": False}


def test_the_domain_is_plain_json_for_custom_actions(documented: Loaded) -> None:
    domain = json.loads(json.dumps(documented.project.domain))
    assert set(domain) >= {"version", "slots", "responses", "actions", "session_config", "intents", "entities"}
    assert domain["actions"] == ["action_top_up", "action_read_balance", "action_log"]
    assert domain["slots"]["topup_amount"]["max_value"] == 100
    assert domain["responses"]["utter_topped_up"] == [{"text": "Added {topup_amount}."}]
    assert domain["session_config"]["session_expiration_time"] == 30


def test_root_files_and_the_domains_folder_are_read(tmp_path: Path, no_patterns: Path) -> None:
    root = write(
        tmp_path / "p",
        {
            "domain.yml": "slots: {a: {type: text}}\n",
            "domains/more/b.yaml": "slots: {b: {type: text}}\n",
            "flows.yml": flow_yaml("root_flow"),
            "data/deep/er/f.yaml": flow_yaml("deep_flow"),
        },
    )
    loaded = load(root, patterns=no_patterns)
    assert set(loaded.project.slots) == {"a", "b"}
    assert set(loaded.project.flows) == {"root_flow", "deep_flow"}
    assert loaded.problems == ()


# --- our layout ---------------------------------------------------------------------------------------------------------------------------


def test_our_layout(ours: Loaded) -> None:
    project = ours.project
    assert ours.problems == ()
    assert set(project.flows) == {"pay_bill", "report_outage"}
    assert project.settings["name"] == "river"
    assert project.settings["actions"] == {"package": "flows"}
    assert project.compat == "3.14"
    assert project.flows["pay_bill"].requires == "verified"
    assert project.flows["report_outage"].requires == "known"
    assert project.flows["pay_bill"].named("ko") == "요금 납부"
    assert project.slots["bill_amount"].entity == "money"
    assert project.responses["utter_ask_bill_amount"].variations[0].verbatim is True


def test_examples_beside_the_flow_are_merged_behind_inline_ones(ours: Loaded) -> None:
    examples = ours.project.flows["pay_bill"].examples
    assert examples["en"] == ("I want to pay my bill", "pay [55](bill_amount)", "settle what I owe")
    assert examples["ko"] == ("요금 내고 싶어요",)
    assert ours.project.flows["report_outage"].examples == {"en": ("the internet is down",)}


def test_examples_of_an_unknown_flow_are_a_problem_with_a_hint(tmp_path: Path, no_patterns: Path) -> None:
    root = write(
        tmp_path / "p", {"flows/a/flows.yml": flow_yaml("pay_bill"), "flows/a/examples.yml": "examples:\n  pay_bil: {en: [pay]}\n"}
    )
    (problem,) = load(root, patterns=no_patterns).problems
    assert (problem.code, str(problem.place)) == ("unknown-flow", "flows/a/examples.yml:2:3")
    assert "pay_bill" in problem.hint


def test_data_is_not_read_beside_our_flows_folder(tmp_path: Path, no_patterns: Path) -> None:
    root = write(tmp_path / "p", {"flows/a/flows.yml": flow_yaml("a"), "data/flows.yml": flow_yaml("b")})
    assert set(load(root, patterns=no_patterns).project.flows) == {"a"}


def test_settings_of_ours_win_over_config(tmp_path: Path, no_patterns: Path) -> None:
    root = write(
        tmp_path / "p",
        {
            "config.yml": "language: de\nadditional_languages: [fr]\n",
            "switchboard.yml": "language: ko\nadditional_languages: [ko, en]\n",
            "data/f.yml": flow_yaml("a"),
        },
    )
    project = load(root, patterns=no_patterns).project
    assert project.languages == ("ko", "en")
    assert project.settings["name"] == "p"


# --- places -------------------------------------------------------------------------------------------------------------------------------


def test_places_name_file_line_and_column(documented: Loaded) -> None:
    project = documented.project
    flow = project.flows["top_up"]
    assert str(flow.place) == "data/flows/topup.yml:2:3"
    assert str(flow.by_id["pay"].place) == "data/flows/topup.yml:35:9"
    assert str(flow.by_id["check"].next[0].place) == "data/flows/topup.yml:20:13"
    assert str(project.slots["topup_confirmed"].place) == "domain/slots.yml:14:3"
    assert str(project.responses["utter_topped_up"].place) == "domain/responses.yml:35:3"
    assert str(project.actions["action_read_balance"].place) == "domain/actions.yaml:3:5"


def test_everything_in_a_loaded_project_has_a_place(documented: Loaded) -> None:
    project = documented.project
    places: list[Place] = []
    for flow in project.flows.values():
        places += [flow.place, *(step.place for step in flow.steps)]
        places += [branch.place for step in flow.steps for branch in step.next]
        places += [rejection.place for collect in flow.collects.values() for rejection in collect.rejections]
    for response in project.responses.values():
        places += [response.place, *(variation.place for variation in response.variations)]
    places += [slot.place for slot in project.slots.values()] + [action.place for action in project.actions.values()]
    assert NOWHERE not in places
    assert all((PROJECTS / "documented" / place.file).is_file() for place in places)


# --- built-in patterns and aliases --------------------------------------------------------------------------------------------------------

PATTERNS = {
    "chitchat.yml": """\
        flows:
          pattern_chitchat: {description: built in, steps: [{action: utter_chat}]}
        slots: {inner: {type: text}}
        responses: {utter_chat: [{text: built in}], utter_other: [{text: other}]}
        """,
    "completed.yml": """\
        flows:
          pattern_completed: {description: for all, steps: [{action: utter_all}]}
        """,
    "completed.3.16.yml": """\
        compat: ["3.16"]
        flows:
          pattern_completed: {description: for 3.16, steps: [{action: utter_new}]}
        """,
    "completed.3.11.yml": """\
        compat: "3.11"
        flows:
          pattern_completed: {description: for 3.11, steps: [{action: utter_old}]}
        """,
}


@pytest.fixture
def patterns(tmp_path: Path) -> Path:
    return write(tmp_path / "patterns", PATTERNS)


def test_built_in_patterns_stand_below_the_project(tmp_path: Path, patterns: Path) -> None:
    root = write(tmp_path / "p", {"domain.yml": "responses: {utter_chat: [{text: mine}]}\n", "data/f.yml": flow_yaml("a")})
    loaded = load(root, patterns=patterns)
    assert loaded.problems == ()
    assert set(loaded.project.flows) == {"a", "pattern_chitchat", "pattern_completed"}
    assert loaded.project.flows["pattern_chitchat"].place.file == "<builtin>/chitchat.yml"
    assert loaded.project.responses["utter_chat"].variations[0].text == "mine"
    assert loaded.project.responses["utter_other"].variations[0].text == "other"
    assert set(loaded.project.user_flows) == {"a"}


def test_a_project_overrides_a_pattern_by_its_name(tmp_path: Path, patterns: Path) -> None:
    root = write(tmp_path / "p", {"data/f.yml": flow_yaml("pattern_chitchat", "utter_mine")})
    loaded = load(root, patterns=patterns)
    assert loaded.problems == ()
    assert loaded.project.flows["pattern_chitchat"].description == "Does pattern_chitchat"


@pytest.mark.parametrize(("compat", "description"), [("3.11", "for 3.11"), ("3.14", "for all"), ("3.16", "for 3.16")])
def test_pattern_files_may_count_for_some_versions_only(tmp_path: Path, patterns: Path, compat: str, description: str) -> None:
    root = write(tmp_path / "p", {"switchboard.yml": f"compat: {compat}\n"})
    loaded = load(root, patterns=patterns)
    assert loaded.problems == ()
    assert loaded.project.compat == compat
    assert loaded.project.flows["pattern_completed"].description == description


def test_the_argument_overrides_the_written_compat(tmp_path: Path, patterns: Path) -> None:
    root = write(tmp_path / "p", {"switchboard.yml": "compat: '3.16'\n"})
    project = load(root, patterns=patterns, compat="3.11").project
    assert (project.compat, project.flows["pattern_completed"].description) == ("3.11", "for 3.11")


def test_a_missing_patterns_folder_is_an_empty_one(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {"data/f.yml": flow_yaml("a")})
    assert set(load(root, patterns=tmp_path / "nowhere").project.flows) == {"a"}


def test_aliases_of_responses_are_replaced_everywhere(tmp_path: Path, patterns: Path) -> None:
    aliases = {f"utter_{name}_doc": f"utter_{name}" for name in ("chat", "ask", "no", "refill", "step", "ask_a")}
    root = write(
        tmp_path / "p",
        {
            "data/f.yml": """\
                flows:
                  a:
                    description: A
                    steps:
                      - collect: a_doc
                      - collect: b
                        utter: utter_ask_doc
                        rejections: [{if: slots.b = 1, utter: utter_no_doc}]
                      - action: utter_step_doc
                """,
            "domain.yml": """\
                slots:
                  a_doc: {type: text}
                  b: {type: float, validation: {rejections: [{if: slots.b = 2, utter: utter_no_doc}], refill_utter: utter_refill_doc}}
                responses:
                  utter_chat_doc: [{text: mine}]
                """,
        },
    )
    project = load(root, patterns=patterns, aliases={**aliases, "utter_ask_a_doc": "utter_ask_a"}).project
    first, second, third = project.flows["a"].steps
    assert getattr(first, "utter", "") == "utter_ask_a"
    assert getattr(second, "utter", "") == "utter_ask"
    assert [rejection.utter for rejection in project.flows["a"].collects["b"].rejections] == ["utter_no"]
    assert getattr(third, "action", "") == "utter_step"
    validation = project.slots["b"].validation
    assert validation is not None
    assert (validation.refill_utter, validation.rejections[0].utter) == ("utter_refill", "utter_no")
    assert project.responses["utter_chat"].variations[0].text == "mine"
    assert "utter_chat_doc" not in project.responses


# --- duplicates ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (flow_yaml("a", "utter_x"), flow_yaml("a", "utter_y")),
        ("slots: {a: {type: text}}\n", "slots: {a: {type: bool}}\n"),
        ("responses: {a: [{text: x}]}\n", "responses: {a: [{text: y}]}\n"),
    ],
)
def test_two_of_one_name_are_an_error_that_names_both_places(tmp_path: Path, no_patterns: Path, first: str, second: str) -> None:
    root = write(tmp_path / "p", {"data/one.yml": first, "data/two.yml": second})
    loaded = load(root, patterns=no_patterns)
    (problem,) = loaded.problems
    assert (problem.code, problem.severity, problem.place.file) == ("duplicate-id", "error", "data/two.yml")
    assert "data/one.yml:1:" in problem.message
    assert loaded.errors == (problem,)


def test_two_of_one_name_and_content_are_a_warning(tmp_path: Path, no_patterns: Path) -> None:
    root = write(tmp_path / "p", {"data/one.yml": "slots: {a: {type: text}}\n", "data/two.yml": "slots:\n  a:\n    type: text\n"})
    loaded = load(root, patterns=no_patterns)
    assert [(problem.code, problem.severity) for problem in loaded.problems] == [("duplicate-id", "warning")]
    assert loaded.errors == ()


def test_skills_may_declare_the_same_action(tmp_path: Path, no_patterns: Path) -> None:
    root = write(
        tmp_path / "p", {"flows/a/domain.yml": "actions: [action_x]\n", "flows/b/domain.yml": "actions: [{action_x: {read_only: true}}]\n"}
    )
    loaded = load(root, patterns=no_patterns)
    assert loaded.problems == ()
    assert loaded.project.actions["action_x"].read_only is True


def test_the_order_of_files_does_not_depend_on_the_disk(tmp_path: Path, no_patterns: Path) -> None:
    names = [f"data/{name}.yml" for name in "zbyam"]
    root = write(tmp_path / "p", {name: flow_yaml(f"flow_{index}") for index, name in enumerate(names)})
    assert list(load(root, patterns=no_patterns).project.flows) == ["flow_3", "flow_1", "flow_4", "flow_2", "flow_0"]


# --- no project ---------------------------------------------------------------------------------------------------------------------------


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotFound, match="there is no folder"):
        load(tmp_path / "nowhere")


def test_a_file_is_no_project(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("x")
    with pytest.raises(ProjectNotFound, match="is not a folder"):
        load(path)


def test_an_empty_folder_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    with pytest.raises(ProjectNotFound, match="switchboard.yml"):
        load(tmp_path / "p")


def test_a_folder_inside_or_above_a_project_is_pointed_out(tmp_path: Path) -> None:
    root = write(tmp_path / "up" / "p", {"switchboard.yml": "language: en\n", "docs/x.txt": ""})
    with pytest.raises(ProjectNotFound) as inside:
        load(root / "docs")
    assert str(inside.value).endswith(f"did you mean {root.resolve()}?")
    with pytest.raises(ProjectNotFound) as above:
        load(tmp_path / "up")
    assert str(above.value).endswith(f"did you mean {root}?")


def test_settings_alone_are_a_project_of_patterns(tmp_path: Path, patterns: Path) -> None:
    root = write(tmp_path / "p", {"switchboard.yml": "language: ko\n"})
    assert set(load(root, patterns=patterns).project.flows) == {"pattern_chitchat", "pattern_completed"}


def test_the_built_in_patterns_load_without_a_word(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {"data/f.yml": flow_yaml("a")})
    for compat in ("3.11", "3.14", "3.16"):
        loaded = load(root, compat=compat)
        assert loaded.problems == ()
        assert loaded.project.flows["pattern_completed"].steps[-1].next[-1].target == END


def test_errors_leave_out_warnings_and_refusals(documented: Loaded) -> None:
    error, warning = Problem(NOWHERE, "error", "bad-step", ""), Problem(NOWHERE, "warning", "bad-step", "")
    refused = Problem(NOWHERE, "error", "refused-forms", "")
    assert Loaded(documented.project, (error, warning, refused)).errors == (error,)
