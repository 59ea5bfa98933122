"""What the page shows in a real browser is what this package draws itself.

Opened from file://, without a network.
"""

import cv2
import numpy as np
import pytest

from mmd2a.viewer import read_results

pytestmark = pytest.mark.slow


def test_the_mesh_lies_on_the_picture_as_the_camera_saw_it(results, show):
    people = [results.person(0.3), results.person(transl=(-0.9, 0.2, 4.5))]
    shown = show(results.page(results.write(people))).ready()
    expected = np.logical_or(*(results.drawn(person) for person in people))
    assert 0.03 < expected.mean() < 0.4
    assert shown.overlap(shown.silhouette(shown.photo()), expected) > 0.96
    # Narrower than the picture, and with it.
    shown.page.set_viewport_size(dict(width=500, height=900))
    shown.rested()
    assert shown.overlap(shown.silhouette(shown.photo()), expected) > 0.94
    assert not shown.errors
    assert all(url.startswith(('file:', 'data:')) for url in shown.requests)
    assert len([url for url in shown.requests if url[:5] == 'file:']) == 1


def test_the_slider_goes_through_the_frames(results, show):
    source = results.video(6, absent=(3,))
    shown = show(results.page(source)).ready()
    sequence = read_results(source)
    seen = []
    for number in (0, 5):
        shown.frame(number)
        person = results.person(-1.2 * number / 6)
        seen.append(shown.silhouette(shown.photo()))
        assert shown.overlap(seen[-1], results.drawn(person)) > 0.95
        told = shown.page.locator('#frame-name span').all_text_contents()
        assert told == [f'frame {number}', f'{number + 1} of 6']
        # The picture is that of the frame.
        assert shown.photo()[5, 5, 1] == pytest.approx(
            255 - 20 * number, abs=8
        )
    assert shown.overlap(*seen) < 0.93
    shown.frame(3)
    assert not shown.silhouette(shown.photo()).any()
    assert 'nobody' in shown.page.locator('#numbers').text_content()
    # By keys, as everything.
    shown.page.keyboard.press('ArrowRight')
    shown.page.keyboard.press('ArrowRight')
    assert (
        shown.overlap(shown.silhouette(shown.rested().photo()), seen[1]) > 0.99
    )
    assert len(sequence.frames) == 6 and not shown.errors


def test_play_moves_through_time_and_stops(results, show):
    shown = show(results.page(results.video(6), fps=20)).ready()
    slider = shown.page.locator('#frame')
    shown.page.get_by_role('button', name='Play').click()
    for number in ('2', '5', '1'):  # And from the start again.
        shown.page.wait_for_function(
            '(n) => document.getElementById("frame").value === n', arg=number
        )
    shown.page.get_by_role('button', name='Pause').click()
    still = shown.rested().photo()
    number = slider.input_value()
    shown.page.wait_for_timeout(400)
    assert slider.input_value() == number
    assert shown.change(shown.photo(), still) == 0 and not shown.errors


def test_sigma_is_shown_in_its_colours(results, show):
    shown = show(results.page(results.write([results.person()]))).ready()
    plain = shown.photo()
    shown.page.get_by_label('sigma').check()
    shown.rested()
    seen = shown.photo()
    mesh = results.drawn(results.person())
    assert np.abs(seen - plain)[mesh].mean() > 30
    inner = cv2.erode(mesh.astype(np.uint8), np.ones((5, 5))) > 0
    middle = round(251.3 + 520 * 0.1 / 3)
    sure, unsure = (
        seen[inner & _side(mesh, middle, -8)],
        seen[inner & _side(mesh, middle, 8)],
    )
    # Viridis: violet where sure (its red half of its blue), yellow where not.
    assert (sure[:, 2] > 1.5 * sure[:, 1]).mean() > 0.9
    assert (unsure[:, 1] > 2 * unsure[:, 2]).mean() > 0.9
    legend = shown.page.locator('#legend')
    assert '≤ 10 mm' in legend.text_content()
    assert '≥ 50 mm' in legend.text_content()
    shown.page.get_by_label('plain').check()
    shown.rested()
    assert shown.change(shown.photo(), plain) <= 2
    assert not legend.is_visible() and not shown.errors


def _side(mesh, middle, margin):
    columns = np.arange(mesh.shape[1])
    side = (
        columns > middle + margin if margin > 0 else columns < middle + margin
    )
    return np.broadcast_to(side, mesh.shape)


def test_without_sigma_there_is_nothing_to_switch(results, show):
    source = results.write([results.person(sigma=False)])
    shown = show(results.page(source)).ready()
    assert not shown.page.get_by_label('sigma').is_visible()
    assert 'sigma' not in shown.page.locator('#numbers').text_content()
    assert not shown.errors


def test_one_of_several_people_is_chosen(results, show):
    people = [
        results.person(transl=(0.7, 0, 4)),
        results.person(transl=(-0.7, 0, 4)),
    ]
    shown = show(results.page(results.write(people))).ready()
    masks = [results.drawn(person) for person in people]
    for number in (1, 0):
        shown.page.get_by_label('People').select_option(f'person {number + 1}')
        shown.rested()
        assert (
            shown.overlap(shown.silhouette(shown.photo()), masks[number])
            > 0.95
        )
        numbers = shown.page.locator('#numbers').text_content()
        assert numbers == f'person {number + 1}: 4.0 m away, sigma ' + (
            f'{round(1e3 * people[number].sigma.mean())} mm'
        )
    shown.page.get_by_label('People').select_option('everybody')
    shown.rested()
    assert (
        shown.overlap(shown.silhouette(shown.photo()), masks[0] | masks[1])
        > 0.95
    )
    assert not shown.errors


def test_it_is_turned_by_mouse_and_keys_and_back(results, show):
    shown = show(results.page(results.write([results.person()]))).ready()
    start = shown.stage()
    mouse = shown.page.mouse
    mouse.move(300, 300)
    mouse.down()
    mouse.move(420, 300, steps=4)
    mouse.up()
    turned = shown.rested().stage()
    assert shown.change(turned, start) > 60
    shown.press('0')
    assert shown.change(shown.stage(), start) <= 2
    # Half a turn by keys: the outline is nearly mirrored, the mesh is not.
    shown.press(*['ArrowRight'] * 9)
    assert shown.change(shown.stage(), start) > 60
    shown.press(*['ArrowLeft'] * 9)
    assert shown.change(shown.stage(), start) <= 2
    for keys in (['Shift+ArrowLeft'], ['+', '+'], ['ArrowUp'] * 3):
        shown.press(*keys)
        assert shown.change(shown.stage(), start) > 60
        shown.page.get_by_role('button', name='View of the camera').click()
        assert shown.change(shown.rested().stage(), start) <= 2
    assert not shown.errors


def test_zoom_keeps_mesh_and_picture_together(results, show):
    person = results.person()
    shown = show(results.page(results.write([person]))).ready()
    shown.page.mouse.move(200, 250)
    shown.page.mouse.wheel(0, -200)
    shown.rested()
    box = shown.page.locator('#photo img').bounding_box()
    stage = shown.page.locator('#stage').bounding_box()
    assert box['width'] > 1.2 * min(stage['width'], 4 / 3 * stage['height'])
    image = shown.stage()
    mesh = results.drawn(person).astype(np.uint8)
    # The package's silhouette, laid where the picture now is.
    scale = box['width'] / 480
    place = np.array([[scale, 0, box['x']], [0, scale, box['y']]])
    place[:, 2] += scale / 2 - 0.5
    expected = cv2.warpAffine(mesh, place, image.shape[1::-1]) > 0
    inside = cv2.warpAffine(np.ones_like(mesh), place, image.shape[1::-1]) > 0
    assert shown.overlap(shown.silhouette(image) & inside, expected) > 0.96


def test_beside_the_picture_both_are_whole(results, show):
    person = results.person(transl=(0.8, 0.1, 3.0))
    shown = show(results.page(results.write([person]))).ready()
    shown.page.get_by_label('beside it').check()
    shown.rested()
    photo = shown.page.locator('#photo').bounding_box()
    canvas = shown.page.locator('#mesh').bounding_box()
    assert photo['x'] + photo['width'] <= canvas['x'] + 1
    assert not shown.silhouette(shown.photo()).any()
    pane = shown.stage()[:, round(canvas['x']) :]
    mesh = np.abs(pane - pane[2, -2]).max(-1) > 25
    assert 0.03 < mesh.mean() < 0.5
    rows, columns = mesh.any(1).nonzero()[0], mesh.any(0).nonzero()[0]
    assert rows[0] > 5 and rows[-1] < mesh.shape[0] - 5
    assert columns[0] > 5 and columns[-1] < mesh.shape[1] - 5
    assert not shown.errors


def test_the_glb_is_the_prediction(results, show):
    trimesh = pytest.importorskip('trimesh')
    people = [results.person(0.4), results.person(transl=(-0.5, 0, 4))]
    source = results.write(people, 'a b')
    shown = show(results.page(source)).ready()
    shown.page.get_by_label('sigma').check()
    shown.press('ArrowRight')
    with shown.page.expect_download() as download:
        shown.page.get_by_role('button', name='Download GLB').click()
    assert download.value.suggested_filename == 'a b.glb'
    path = results.folder / 'down.glb'
    download.value.save_as(path)
    scene = trimesh.load(path, process=False)
    assert len(scene.geometry) == 2
    for number, person in enumerate(people):
        matrix, geometry = scene.graph[f'person {number + 1}']
        mesh = scene.geometry[geometry].copy()
        mesh.apply_transform(matrix)
        true = (person.vertices + person.transl) * [1, -1, -1]
        off = np.linalg.norm(mesh.vertices - true, axis=1)
        assert off.max() <= 1e-4
        assert np.array_equal(mesh.faces, results.faces)
        colors = scene.geometry[geometry].visual.vertex_attributes['color']
        assert len(np.unique(colors, axis=0)) == 2
    assert not shown.errors
