"""What designers write, as typed values: spec, loader, conditions, check, drawing.

Others import from here, never from the modules inside.
"""

from .conditions import Condition, ConditionError
from .layout import ProjectNotFound
from .loader import DEFAULT_PATTERNS, Loaded, load
from .spec import (
    END,
    NOWHERE,
    PATTERN_PREFIX,
    ActionSpec,
    ActionStep,
    Branch,
    Button,
    CallStep,
    CollectStep,
    Compat,
    Flow,
    HandoffStep,
    LinkStep,
    NoopStep,
    Place,
    Problem,
    Project,
    Rejection,
    Response,
    SessionSettings,
    SetSlotsStep,
    Slot,
    Step,
    Validation,
    Variation,
)
from .yamlfile import Positions, read_yaml

__all__ = [
    "DEFAULT_PATTERNS",
    "END",
    "NOWHERE",
    "PATTERN_PREFIX",
    "ActionSpec",
    "ActionStep",
    "Branch",
    "Button",
    "CallStep",
    "CollectStep",
    "Compat",
    "Condition",
    "ConditionError",
    "Flow",
    "HandoffStep",
    "LinkStep",
    "Loaded",
    "NoopStep",
    "Place",
    "Positions",
    "Problem",
    "Project",
    "ProjectNotFound",
    "Rejection",
    "Response",
    "SessionSettings",
    "SetSlotsStep",
    "Slot",
    "Step",
    "Validation",
    "Variation",
    "load",
    "read_yaml",
]
