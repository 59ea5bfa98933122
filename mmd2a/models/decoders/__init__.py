"""Decoders: tokens back to images, or to those of another view."""

from mmd2a.models.decoders.silhouette_decoder import SilhouetteDecoder
from mmd2a.models.decoders.view_decoder import ViewDecoder

__all__ = ['SilhouetteDecoder', 'ViewDecoder']
