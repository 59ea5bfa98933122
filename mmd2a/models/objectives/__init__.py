"""Objectives: what a prediction of a mesh is compared with, and how."""

from mmd2a.models.objectives.imagined_views import ImaginedViews
from mmd2a.models.objectives.mesh_objective import MeshObjective
from mmd2a.models.objectives.view_consistency import ViewConsistency

__all__ = ['ImaginedViews', 'MeshObjective', 'ViewConsistency']
