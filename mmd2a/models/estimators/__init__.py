"""Estimators: what a config's ``model`` names."""

from mmd2a.models.estimators.d2a_hmr import D2AHMR

__all__ = ['D2AHMR']
