"""Decoders: tokens back to images."""

from mmd2a.models.decoders.silhouette_decoder import SilhouetteDecoder

__all__ = ['SilhouetteDecoder']
