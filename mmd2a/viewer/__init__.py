"""One page of a result, to turn the mesh in: whole, without a network.

Reads what :mod:`mmd2a.apis` wrote, and knows no model.
"""

from mmd2a.viewer.page import write_page
from mmd2a.viewer.results import MeshSequence, read_results

__all__ = ['MeshSequence', 'read_results', 'write_page']
