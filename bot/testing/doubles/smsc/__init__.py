"""An SMSC on this machine: see `SmscDouble`. Speaks SMPP 3.4 with its own reading and writing of it, keeps messages, fails on demand."""

from .double import SmscDouble
from .faults import Fault
from .messages import Submitted
from .phones import Told
from .wire import Frame

__all__ = ["Fault", "Frame", "SmscDouble", "Submitted", "Told"]
