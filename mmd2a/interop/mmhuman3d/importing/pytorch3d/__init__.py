"""The part of PyTorch3D's interface that MMHuman3D uses.

MMHuman3D imports PyTorch3D in most of its modules, for rotations and cameras
more than for rendering, and PyTorch3D is not on PyPI for current versions of
PyTorch. Rotations, transforms, cameras and tensor helpers work here, with
PyTorch3D's names, conventions and shapes; meshes, rasterisation, lights and
files can be imported but say on use that PyTorch3D itself is needed. Where
it is installed, it is used instead of all this.

- :mod:`.transforms`: rotation conversions
  (quaternions with the real part first), 4x4 transforms of row vectors
- :mod:`.renderer.cameras`: cameras and how
  to point them
- :mod:`.structures`: lists, padded and
  packed tensors

Frames: view space has +x left, +y up, +z forward, in metres. Normalised
device coordinates (NDC) have the same x and y; the shorter image side spans
[-1, 1]. Screen coordinates are pixels, (0, 0) the outer corner top left.

Written from https://pytorch3d.readthedocs.io and
https://pytorch3d.org/docs/cameras.
"""
