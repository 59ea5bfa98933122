"""Estimators: what a config's ``model`` names."""

from mmd2a.models.estimators.d2a_hmr import D2AHMR
from mmd2a.models.estimators.imphmr import ImpHMR

__all__ = ['D2AHMR', 'ImpHMR']
