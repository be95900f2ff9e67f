"""Names every project has without declaring them: actions, slots, patterns, what conditions may read, formats of placeholders.

From the documentation of the dialect (default actions, slots and patterns); what we add is marked "ours".
"""

from __future__ import annotations

from .spec import Slot

BUILTIN_FILE_PREFIX = "<builtin>/"
"""A `Place.file` that begins so belongs to the framework, not to the project; the checks leave it alone."""

BUILTIN_ACTIONS: frozenset[str] = frozenset(
    {
        "action_back",
        "action_cancel_flow",
        "action_cancel_interrupted_flows",
        "action_clarify_flows",
        "action_clean_stack",
        "action_continue_interrupted_flow",
        "action_correct_flow_slot",
        "action_deactivate_loop",
        "action_default_ask_affirmation",
        "action_default_ask_rephrase",
        "action_default_fallback",
        "action_extract_slots",
        "action_handoff_metric",
        "action_hangup",
        "action_listen",
        "action_metadata",
        "action_repeat_bot_messages",
        "action_reset_routing",
        "action_restart",
        "action_revert_fallback_events",
        "action_run_slot_rejections",
        "action_send_text",
        "action_session_start",
        "action_stop",
        "action_trigger_chitchat",
        "action_trigger_flow",
        "action_trigger_search",
        "action_two_stage_fallback",
        "action_unlikely_intent",
        "action_validate_slot_mappings",
    }
)

WAITING_ACTIONS: frozenset[str] = frozenset({"action_listen", "action_restart", "action_hangup", "action_stop"})
"""Built-in actions after which nothing runs on until the customer says something."""

BUILTIN_SLOTS: dict[str, Slot] = {
    slot.name: slot
    for slot in (
        Slot("language", "any", controlled=True),
        Slot("session_started_metadata", "any", controlled=True),
        Slot("silence_timeout", "float", controlled=True),
        Slot("consecutive_silence_timeouts", "float", controlled=True),
        Slot("max_clarification_options", "float", initial_value=3, controlled=True),
        Slot("csat_score", "any"),
        Slot("mocked_datetime", "any", controlled=True),
        Slot("requested_slot", "text", controlled=True),
        Slot("return_value", "any", controlled=True),
        Slot("flow_hashes", "any", controlled=True),
        Slot("identity_level", "any", controlled=True),  # ours: none, known or verified
        Slot("customer_number", "text", controlled=True),  # ours: the number the customer writes or calls from
    )
}

BUILTIN_PATTERNS: frozenset[str] = frozenset(
    {
        "pattern_attachment",  # ours: a file without words
        "pattern_cancel_flow",
        "pattern_cannot_handle",
        "pattern_chitchat",
        "pattern_clarification",
        "pattern_code_change",
        "pattern_collect_information",
        "pattern_completed",
        "pattern_continue_interrupted",
        "pattern_correction",
        "pattern_customer_satisfaction",
        "pattern_external_agent_processing",
        "pattern_human_handoff",
        "pattern_handoff_return",  # ours
        "pattern_handoff_waiting",  # ours
        "pattern_session_open",  # ours
        "pattern_identity",  # ours: raises the identity level a flow `requires`
        "pattern_internal_error",
        "pattern_repeat_bot_messages",
        "pattern_restart",
        "pattern_search",
        "pattern_session_start",
        "pattern_skip_question",
        "pattern_user_silence",
        "pattern_validate_slot",
    }
)

IDENTITY_PATTERN = "pattern_identity"
LINKABLE_PATTERNS: frozenset[str] = frozenset({"pattern_human_handoff", "pattern_customer_satisfaction"})
"""Patterns a flow of the project may link to."""

CONTEXT_NAMES: frozenset[str] = frozenset(
    {
        "canceled_frames",
        "canceled_name",
        "kept_slots",
        "canceled_flow",
        "reset_frame_id",
        "clarification_flows",
        "priority",
        "skill",
        "handed_over",
        "clarification_options",
        "collect",
        "collect_action",
        "corrected_slots",
        "error_type",
        "flow_id",
        "flow_name",
        "frame_id",
        "frame_type",
        "info",
        "interrupted_flow_ids",
        "interrupted_flow_names",
        "interrupted_flow_options",
        "is_reset_only",
        "multiple_flows_interrupted",
        "names",
        "new_slot_values",
        "previous_flow_name",
        "reason",
        "refill_action",
        "refill_utter",
        "rejections",
        "required_level",
        "requires",
        "reset_flow_id",
        "reset_step_id",
        "step_id",
        "times",
        "utter",
        "validate",
    }
)
"""What `context.` may hold, over all patterns."""

BUILTIN_RESPONSES: frozenset[str] = frozenset(
    {
        "utter_boolean_slot_rejection",
        "utter_categorical_slot_rejection",
        "utter_float_slot_rejection",
        "utter_free_chitchat_response",
        "utter_no_knowledge_base",
    }
)
"""Responses the engine says by itself; a project may word them."""

REFUSAL_NAMES: frozenset[str] = frozenset({"slot_name", "slot_values", "slot_minimum", "slot_maximum"})
"""Ours: placeholders that hold something while a value is refused (`utter_float_slot_rejection` and its like)."""

TRIGGER_PAYLOADS: frozenset[str] = frozenset({"restart", "session_start", "silence_timeout"})
"""What a payload `/name` may say without an NLU pipeline."""

PLACEHOLDER_FORMATS: frozenset[str] = frozenset({"data", "date", "money", "number"})
"""Ours: what may follow the colon in a placeholder `{slot:format}`."""
