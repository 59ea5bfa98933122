"""Backbones: images to feature maps, where depth comes along."""

from mmd2a.models.backbones.rgbd_backbone import RGBDBackbone

__all__ = ['RGBDBackbone']
