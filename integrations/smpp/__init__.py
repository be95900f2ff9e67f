"""SMPP 3.4: SMS by an operator's own SMSC, as one `bot.channels.ConnectedChannel`.

`SmppChannel(SmppSettings.from_env(os.environ))` makes one; the rest is for tests and for an operator's own composition.
"""

from .channel import NAME, SmppChannel
from .settings import Numbering, SmppSettings, SmppSettingsError

__all__ = ["NAME", "Numbering", "SmppChannel", "SmppSettings", "SmppSettingsError"]
