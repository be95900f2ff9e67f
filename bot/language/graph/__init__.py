"""Pictures of flows: Mermaid text, SVG and PNG of one flow, and an overview of how flows link and call each other.

Pure functions of a flow and its project; nothing is fetched and no other program is run.
"""

from .chart import Chart, Edge, Node, flow_chart, project_chart
from .mermaid import mermaid, mermaid_overview, to_mermaid
from .raster import PictureError, can_draw, png
from .svg import svg, svg_overview, to_svg

__all__ = [
    "Chart",
    "Edge",
    "Node",
    "PictureError",
    "can_draw",
    "flow_chart",
    "mermaid",
    "mermaid_overview",
    "png",
    "project_chart",
    "svg",
    "svg_overview",
    "to_mermaid",
    "to_svg",
]
