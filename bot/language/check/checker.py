"""Runs every check over a project and puts what they find in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..spec import Problem, Project
from . import conditions, effects, flows, payloads, reachability, responses, similarity, slots, texts
from .view import View

Check = Callable[[View], Iterable[Problem]]
"""A rule: looks at a project, yields what it finds."""

CHECKS: tuple[Check, ...] = (
    flows.descriptions,
    flows.step_ids,
    flows.starts,
    flows.patterns,
    flows.links,
    flows.calls,
    flows.actions,
    flows.declared_actions,
    flows.handoffs,
    flows.identity,
    flows.persisted_slots,
    flows.examples,
    slots.declarations,
    slots.collected,
    slots.assigned,
    slots.persisted,
    slots.in_conditions,
    slots.unused,
    responses.named,
    responses.questions,
    responses.wordings,
    responses.defaults,
    responses.placeholder_names,
    responses.unused,
    payloads.buttons,
    conditions.names,
    conditions.groups,
    conditions.types,
    conditions.truths,
    conditions.branches,
    reachability.targets,
    reachability.unreachable,
    reachability.endless,
    reachability.silent_circles,
    reachability.one_time_circles,
    similarity.descriptions,
    similarity.examples,
    texts.translations,
    texts.languages,
    texts.lengths,
    effects.unconfirmed,
)

_RANK = {"error": 0, "warning": 1, "info": 2}


def check(
    project: Project,
    *,
    knows_action: Callable[[str], bool] | None = None,
    max_segments: int = 3,
    mentions: Callable[[str], bool] | None = None,
    checks: Iterable[Check] = CHECKS,
) -> tuple[Problem, ...]:
    """What is wrong in a project, in the order it is written, each finding once.

    `knows_action` says whether an action of a name is implemented; without it nobody is told that one is not. `max_segments` is how many
    text messages (160 GSM characters, or 70 others; fewer when joined) a reply may take. `mentions` says whether the code of actions holds
    a name (see `words_in_code`); slots and responses that only actions use are then not called unused. What the framework itself brings is
    not judged.
    """
    view = View(project, knows_action, max_segments, mentions)
    found = {problem for rule in checks for problem in rule(view)}
    return tuple(sorted(found, key=lambda problem: (problem.place, _RANK[problem.severity], problem.code, problem.message)))
