"""Triangles to runs of pixels; the pictures are tested with the rasteriser."""

import numpy as np
import pytest

from mmd2a.geometry.scan_conversion import cut_spans, project_triangles

K = np.array([[50.0, 0, 15.5], [0, 50.0, 11.5], [0, 0, 1]])
SIZE = (24, 32)


@pytest.fixture
def triangles():
    """Triangles all around the camera, many of them cut by the near plane."""
    rng = np.random.default_rng(0)
    vertices = rng.normal(size=(600, 3))
    faces = np.arange(600).reshape(-1, 3)
    return project_triangles(vertices, faces, K, SIZE, cull=False, near=0.05)


def test_spans_lie_in_the_image_and_are_not_empty(triangles):
    spans = cut_spans(triangles, SIZE)
    assert len(spans.row) > 100 and spans.length.min() >= 1
    assert spans.row.min() >= 0 and spans.row.max() < SIZE[0]
    assert spans.start.min() >= 0
    assert (spans.start + spans.length).max() <= SIZE[1]


def test_triangles_and_spans_keep_the_order_of_the_faces(triangles):
    assert (np.diff(triangles.face) >= 0).all()
    assert (np.diff(cut_spans(triangles, SIZE).triangle) >= 0).all()


def test_nothing_projected_is_nearer_than_the_near_plane(triangles):
    assert triangles.inverse_depth.max() <= 1 / 0.05
    assert len(np.unique(triangles.face)) < len(triangles.face)
