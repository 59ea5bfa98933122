"""Pictures of bodies: overlays, sheets, and their way into training logs."""

from .colors import depth_to_color, sigma_colors, sigma_limits
from .image_files import save_image
from .mesh_visualizer import MeshVisualizer
from .overlays import crop_overlay, mask_overlay, mesh_overlay, side_view
from .sheet import ColorBar, draw_sheet
from .tiles import TILE_NAMES, prediction_tiles
from .visualization_hook import MeshVisualizationHook

__all__ = [
    'TILE_NAMES',
    'ColorBar',
    'MeshVisualizationHook',
    'MeshVisualizer',
    'crop_overlay',
    'depth_to_color',
    'draw_sheet',
    'mask_overlay',
    'mesh_overlay',
    'prediction_tiles',
    'save_image',
    'side_view',
    'sigma_colors',
    'sigma_limits',
]
