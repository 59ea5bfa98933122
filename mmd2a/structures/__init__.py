"""Data containers shared by every floor of the package."""
from mmd2a.structures.body_data_sample import BodyDataSample

__all__ = ['BodyDataSample']
