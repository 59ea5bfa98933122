"""OBJ, PLY and GLB of meshes, as other programs open them."""

import io
import os
import sys

import numpy as np
import pytest
import trimesh

from mmd2a.apis.result_files import (
    opencv_to_y_up,
    write_glb,
    write_obj,
    write_ply,
)
from mmd2a.visualization import sigma_colors

WRITERS = {'.obj': write_obj, '.ply': write_ply, '.glb': write_glb}
EACH = pytest.mark.parametrize('suffix', WRITERS)


def load(path):
    return trimesh.load(path, force='mesh', process=False)


@EACH
def test_another_reader_finds_the_mesh(suffix, mesh, tmp_path):
    vertices, faces = mesh
    path = tmp_path / 'folder' / f'person{suffix}'
    assert WRITERS[suffix](path, vertices, faces) is None
    found = load(path)
    # Read back by the documented line, without a vertex moved or merged.
    np.testing.assert_allclose(
        opencv_to_y_up(found.vertices), vertices, atol=1e-6
    )
    np.testing.assert_array_equal(found.faces, faces)
    # No mirror image: the surface still looks outwards.
    assert found.volume > 0.03
    assert os.listdir(path.parent) == [path.name]


@EACH
def test_up_in_the_picture_is_up_in_the_file(suffix, body, tmp_path):
    # Upright before the camera: the head has the least y of OpenCV.
    vertices = body.v_template.numpy() * [1, -1, -1] + [0, 0, 3]
    path = tmp_path / f'person{suffix}'
    WRITERS[suffix](path, vertices, body.faces.numpy())
    found = load(path).vertices
    head = body.part_labels.numpy() == 15
    toes = np.isin(body.part_labels.numpy(), (10, 11))
    assert found[head, 1].mean() > found[toes, 1].mean() + 1
    # Toes point at the viewer, who sits at +z where the camera was.
    ankles = np.isin(body.part_labels.numpy(), (7, 8))
    assert found[toes, 2].mean() > found[ankles, 2].mean() + 0.05
    assert found[:, 2].max() < 0


@EACH
def test_colours_are_those_of_sigma(suffix, mesh, tmp_path):
    vertices, faces = mesh
    colors = sigma_colors(np.linspace(0.01, 0.05, len(vertices)))
    path = tmp_path / f'person{suffix}'
    WRITERS[suffix](path, vertices, faces, colors)
    as_bytes = tmp_path / f'bytes{suffix}'
    WRITERS[suffix](
        as_bytes, vertices, faces, np.rint(255 * colors).astype(np.uint8)
    )
    for name in (path, as_bytes):
        np.testing.assert_allclose(shown(name), colors, atol=0.0021)


def shown(path):
    """Colours of vertices on the screen, sRGB in [0, 1]."""
    if path.suffix != '.glb':
        return load(path).visual.vertex_colors[:, :3] / 255
    # trimesh hands on the linear numbers of the file as they are.
    [found] = trimesh.load(path, process=False).geometry.values()
    light = found.visual.vertex_attributes['color'].astype(float)
    return np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
    )


def test_glb_holds_what_the_specification_asks_for(mesh, tmp_path, read_glb):
    vertices, faces = mesh
    colors = np.tile([0.0, 0.5, 1.0], (len(vertices), 1))
    path = tmp_path / 'person.glb'
    write_glb(path, vertices, faces, colors)
    glb = read_glb(path)
    attributes, corners = glb.mesh()
    np.testing.assert_array_equal(corners, faces)
    # Mid grey of a screen is 21.4 % of its light.
    np.testing.assert_allclose(
        attributes['COLOR_0'][0], [0, 0.21404, 1], atol=1e-5
    )
    [material] = glb.json['materials']
    factors = material['pbrMetallicRoughness']
    assert factors['baseColorFactor'] == [1, 1, 1, 1]
    assert factors['metallicFactor'] == 0
    assert glb.json['asset']['version'] == '2.0'


def test_glb_holds_several_people(motion, body, tmp_path, read_glb):
    path = tmp_path / 'people.glb'
    colors = np.random.default_rng(0).random(motion.vertices.shape)
    write_glb(path, motion.vertices, body.faces.numpy(), colors)
    glb = read_glb(path)
    assert [node['name'] for node in glb.json['nodes']] == [
        f'person_{i}' for i in range(5)
    ]
    for number, vertices in enumerate(motion.vertices):
        attributes, _ = glb.mesh(number)
        np.testing.assert_allclose(
            opencv_to_y_up(attributes['POSITION']), vertices, atol=1e-6
        )
    scene = trimesh.load(path)
    assert len(scene.geometry) == 5
    np.testing.assert_allclose(
        scene.bounds,
        np.sort(
            opencv_to_y_up(
                [motion.vertices.min((0, 1)), motion.vertices.max((0, 1))]
            ),
            0,
        ),
        atol=1e-5,
    )


@EACH
@pytest.mark.parametrize(
    'what, told',
    [
        (lambda v, f: dict(vertices=np.where(v == v[7, 1], np.nan, v)),
         r'not finite, the first in row 7: leave this person out'),
        (lambda v, f: dict(vertices=v * np.inf), 'not finite'),
        (lambda v, f: dict(vertices=v[:, :2]), r'expected \(V, 3\): give one'),
        (lambda v, f: dict(vertices=v[:100]), 'name vertices.*same body'),
        (lambda v, f: dict(faces=f - 1), 'name vertices -1'),
        (lambda v, f: dict(faces=f[:, :2]), r'whole numbers \(F, 3\)'),
        (lambda v, f: dict(faces=f.astype(float)), 'whole numbers'),
        (lambda v, f: dict(faces=f[:0]), 'no faces'),
        (lambda v, f: dict(colors=v[:-1]), 'one RGB per vertex'),
        (lambda v, f: dict(colors=np.full(v.shape, 255.0)), 'divide them'),
        (lambda v, f: dict(colors=np.full(v.shape, np.nan)), 'not finite'),
    ],
)  # fmt: skip
def test_what_is_no_mesh_is_refused_in_a_line(
    suffix, what, told, mesh, tmp_path
):
    path = tmp_path / f'person{suffix}'
    path.write_text('older')
    with pytest.raises(ValueError, match=told) as error:
        given = dict(vertices=mesh[0], faces=mesh[1]) | what(*mesh)
        WRITERS[suffix](path, **given)
    assert '\n' not in str(error.value)
    assert path.read_text() == 'older' and len(os.listdir(tmp_path)) == 1


@EACH
def test_another_suffix_is_refused_with_the_right_one(suffix, mesh, tmp_path):
    for name in ('person.stl', 'person', 'person.gltf'):
        with pytest.raises(ValueError, match=rf'name it.*person\{suffix}'):
            WRITERS[suffix](tmp_path / name, *mesh)
    assert not os.listdir(tmp_path)
    WRITERS[suffix](tmp_path / f'PERSON{suffix.upper()}', *mesh)


@EACH
def test_a_folder_that_takes_no_files_is_told(suffix, mesh, tmp_path):
    (tmp_path / 'file').write_text('in the way')
    with pytest.raises(OSError, match='cannot write.*choose another folder'):
        WRITERS[suffix](tmp_path / 'file' / f'person{suffix}', *mesh)
    (tmp_path / f'person{suffix}').mkdir()
    with pytest.raises(OSError, match='it is a folder'):
        WRITERS[suffix](tmp_path / f'person{suffix}', *mesh)
    assert sorted(os.listdir(tmp_path)) == ['file', f'person{suffix}']


def test_without_trimesh_the_command_is_named(mesh, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'trimesh', None)
    for suffix in ('.obj', '.ply'):
        with pytest.raises(ImportError, match='pip install trimesh'):
            WRITERS[suffix](tmp_path / f'person{suffix}', *mesh)
    write_glb(tmp_path / 'person.glb', *mesh)
    assert os.listdir(tmp_path) == ['person.glb']


def test_no_mesh_and_colours_of_other_meshes_are_refused(motion, body):
    faces = body.faces.numpy()
    with pytest.raises(ValueError, match='at least one mesh'):
        write_glb('none.glb', motion.vertices[:0], faces)
    with pytest.raises(ValueError, match='divide them by 255'):
        write_glb('grey.glb', motion.vertices, faces, base_color=[99, 9, 9])
    with pytest.raises(ValueError, match='colors for each or for none'):
        write_glb('some.glb', motion.vertices, faces, motion.vertices[:2] * 0)


def test_text_is_exact_to_the_micrometre(mesh, tmp_path):
    vertices, faces = mesh
    path = tmp_path / 'person.obj'
    write_obj(path, vertices, faces)
    lines = path.read_text().splitlines()
    rows = [line[2:] for line in lines if line.startswith('v ')]
    found = np.loadtxt(io.StringIO('\n'.join(rows)))
    assert np.abs(opencv_to_y_up(found) - vertices).max() < 1e-6
