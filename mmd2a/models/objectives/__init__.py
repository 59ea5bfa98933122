"""Objectives: what a prediction of a mesh is compared with, and how."""

from mmd2a.models.objectives.mesh_objective import MeshObjective

__all__ = ['MeshObjective']
