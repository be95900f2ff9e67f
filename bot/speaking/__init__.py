"""What the bot says: choosing a wording, filling it in, formats of a language.

Pure functions; `render` is the way in.
"""

from .formats import written
from .render import RenderError, Said, choose, render

__all__ = ["RenderError", "Said", "choose", "render", "written"]
