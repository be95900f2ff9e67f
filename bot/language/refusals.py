"""What the documented format holds and we do not run: each is refused by name, with a way out. Refused parts are left out; the rest runs.

Codes begin with `refused-`, so that whoever starts a bot can tell "runs without this" from "is broken".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .spec import Severity


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing we do not run: a stable code, what it is, what to do instead."""

    code: str
    message: str
    hint: str
    severity: Severity = "error"


FORMS = Refusal("refused-forms", "forms are not run", "write a flow with one `collect` step for each slot of the form")
STORIES = Refusal(
    "refused-stories", "stories are not run", "write what the story does as a flow; its user messages go under the flow's `examples`"
)
RULES = Refusal(
    "refused-rules",
    "rules are not run",
    "write a flow with the rule's actions as steps; its intents' examples go under the flow's `examples`",
)
NLU_DATA = Refusal(
    "refused-nlu-data",
    "training data for intents and entities is not read",
    "move the examples of an intent to the `examples` of the flow it starts",
)
E2E_ACTIONS = Refusal(
    "refused-e2e-actions", "end-to-end actions are not run", "make each one a response in the domain and an `action:` step in a flow"
)
NLU_TRIGGER = Refusal(
    "refused-nlu-trigger",
    "flows are not started by intents",
    "move the intent's examples to the flow's `examples`; the description and those start it",
)
NLU_PIPELINE = Refusal(
    "refused-nlu-pipeline",
    "components of the NLU pipeline are not run",
    "nothing is needed: messages are understood from flows, slots and examples; remove the components from `pipeline` to silence this",
    "warning",
)
CUSTOM_COMPONENT = Refusal(
    "refused-custom-component",
    "custom components of the pipeline are not run",
    "messages are understood without them; remove them from `pipeline` to silence this",
    "warning",
)
COEXISTENCE = Refusal(
    "refused-coexistence",
    "coexistence of two dialogue systems is not run",
    "move the skills of the other system to flows, then remove this",
)
SUB_AGENTS = Refusal(
    "refused-sub-agents", "sub-agents are not run", "put what the agent does in a custom action, and call that with an `action:` step"
)
CALL_AGENT = Refusal(
    "refused-call-agent",
    "a `call` of a sub-agent is not run, the step does nothing",
    "put what the agent does in a custom action: `action: action_...`",
)
CALL_TOOL = Refusal(
    "refused-call-tool",
    "a `call` of a tool on an MCP server is not run, the step does nothing",
    "call the tool from a custom action: `action: action_...`",
)
BETA_STEP = Refusal("refused-beta-step", "this kind of step, of an early beta, is not run", "use `collect:` to ask and `action:` to answer")
SLOT_MAPPING = Refusal(
    "refused-slot-mapping",
    "the slot is not filled from intents, entities or the last message; it is treated as `from_llm`",
    "use `- type: from_llm`, or `- type: controlled` when only actions and buttons may fill it",
)
EVERY_TURN = Refusal(
    "refused-action-every-turn", "no action is run on every turn to fill a slot", "run the action as a step of the flows that need the slot"
)

TOP_LEVEL: Mapping[str, Refusal] = {
    "forms": FORMS,
    "stories": STORIES,
    "rules": RULES,
    "nlu": NLU_DATA,
    "e2e_actions": E2E_ACTIONS,
}
"""Refused keys at the top of a file of flows, domain or training data."""

STEP_TYPES: Mapping[str, Refusal] = dict.fromkeys(("generation_prompt", "entry_prompt", "intent", "collect_information"), BETA_STEP)
"""Refused kinds of step."""

SLOT_MAPPINGS: Mapping[str, Refusal] = dict.fromkeys(("from_entity", "from_intent", "from_text", "from_trigger_intent"), SLOT_MAPPING)
"""Refused ways to fill a slot."""
