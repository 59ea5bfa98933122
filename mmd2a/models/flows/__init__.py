"""Normalising flows."""

from mmd2a.models.flows.real_nvp import RealNVP

__all__ = ['RealNVP']
