"""Names that differ between the documented dialect and ours."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RESPONSE_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "utter_flow_cancelled_rasa": "utter_flow_cancelled",
        "utter_clarification_options_rasa": "utter_clarification_options",
        "utter_internal_error_rasa": "utter_internal_error",
        "utter_user_input_empty_error_rasa": "utter_user_input_empty_error",
        "utter_user_input_too_long_error_rasa": "utter_user_input_too_long_error",
        "utter_categorical_slot_rejection_rasa": "utter_categorical_slot_rejection",
    }
)
"""The documented default response names, as projects override them, and what we call the same responses."""
