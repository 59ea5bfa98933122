"""The part of PyTorch3D's interface that MMHuman3D computes with.

MMHuman3D imports PyTorch3D in most of its modules, for rotations and cameras
more than for rendering, and PyTorch3D is not on PyPI for current versions of
PyTorch. What its trainings and its own tests enter works here, with
PyTorch3D's names, conventions and shapes. Every other name is a placeholder
that says on use that PyTorch3D itself is needed. Where it is installed, it is
used instead of all this.

- :mod:`.transforms`: rotation conversions (quaternions with the real part
  first), 4x4 transforms of row vectors
- :mod:`.renderer.cameras`: cameras

Frames: view space has +x left, +y up, +z forward, in metres. Normalised
device coordinates (NDC) have the same x and y; the shorter image side spans
[-1, 1]. Screen coordinates are pixels, (0, 0) the outer corner top left.

Written from https://pytorch3d.readthedocs.io and
https://pytorch3d.org/docs/cameras.
"""
