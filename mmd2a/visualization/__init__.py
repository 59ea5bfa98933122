"""Pictures of bodies: overlays, sheets, and their way into training logs."""

# The name that pictures were always saved by.
from mmd2a.files import write_image as save_image
from mmd2a.visualization.colors import (
    depth_to_color,
    sigma_colors,
    sigma_limits,
)
from mmd2a.visualization.label_tiles import LABEL_TILE_NAMES, label_tiles
from mmd2a.visualization.mesh_visualizer import MeshVisualizer
from mmd2a.visualization.overlays import (
    crop_overlay,
    mask_overlay,
    mesh_overlay,
    side_view,
)
from mmd2a.visualization.sheet import ColorBar, draw_sheet
from mmd2a.visualization.tiles import TILE_NAMES, prediction_tiles
from mmd2a.visualization.visualization_hook import MeshVisualizationHook

__all__ = [
    'LABEL_TILE_NAMES',
    'TILE_NAMES',
    'ColorBar',
    'MeshVisualizationHook',
    'MeshVisualizer',
    'crop_overlay',
    'depth_to_color',
    'draw_sheet',
    'label_tiles',
    'mask_overlay',
    'mesh_overlay',
    'prediction_tiles',
    'save_image',
    'side_view',
    'sigma_colors',
    'sigma_limits',
]
