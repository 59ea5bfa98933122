"""The labelled grid."""

import numpy as np
import pytest

from mmd2a.visualization.sheet import ColorBar, draw_sheet

RED = np.full((32, 32, 3), (255, 0, 0), np.uint8)
BLUE = np.full((32, 32, 3), (0, 0, 255), np.uint8)


def boxes(sheet, color):
    """Rows and columns that a color spans."""
    y, x = np.nonzero((sheet == color).all(-1))
    return y.min(), y.max(), x.min(), x.max()


@pytest.mark.parametrize('num_rows', [1, 3])
def test_tiles_have_one_size_and_thin_white_gutters(num_rows):
    rows = [{'A': RED, 'B': BLUE}] * num_rows
    sheet = draw_sheet(rows, tile=48)
    y0, y1, x0, x1 = boxes(sheet, RED[0, 0])
    _, _, u0, u1 = boxes(sheet, BLUE[0, 0])
    assert x1 - x0 + 1 == u1 - u0 + 1 == 48
    gutter = u0 - x1 - 1
    assert 1 <= gutter <= 4
    assert y1 - y0 + 1 == num_rows * 48 + (num_rows - 1) * gutter
    assert (sheet[:, x1 + 1 : u0][y0:] == 255).all()
    assert sheet.dtype == np.uint8 and sheet.shape[2] == 3


def test_each_tile_is_under_its_own_header():
    a = draw_sheet([{'A': RED}], ['A'], tile=64)
    b = draw_sheet([{'Other': RED}], ['Other'], tile=64)
    header = boxes(a, RED[0, 0])[0]
    assert header == boxes(b, RED[0, 0])[0]
    assert (a[:header] < 128).any() and (b[:header] < 128).any()
    assert (a[:header] != b[:header]).any()
    np.testing.assert_array_equal(a[header:], b[header:])


def test_columns_default_to_all_names_in_the_order_they_come_up():
    rows = [{'A': RED}, {'B': BLUE, 'A': RED}]
    np.testing.assert_array_equal(
        draw_sheet(rows, tile=40), draw_sheet(rows, ['A', 'B'], tile=40)
    )


def test_a_missing_picture_leaves_its_tile_pale():
    sheet = draw_sheet([{'A': RED}], ['A', 'B'], tile=64)
    y0, y1, _, x1 = boxes(sheet, RED[0, 0])
    empty = sheet[y0 : y1 + 1, x1 + 4 : x1 + 60]
    assert empty.min() > 100 and np.median(empty) == 244


def test_a_picture_that_is_not_square_keeps_its_shape():
    sheet = draw_sheet([{'A': RED[:16]}], tile=64)
    y0, y1, x0, x1 = boxes(sheet, RED[0, 0])
    assert (y1 - y0 + 1, x1 - x0 + 1) == (32, 64)


def test_captions_and_color_bar_take_room_of_their_own():
    plain = draw_sheet([{'A': RED}], tile=64)
    captioned = draw_sheet([{'A': RED}], captions=['MPJPE 61 mm'], tile=64)
    barred = draw_sheet([{'A': RED}], color_bar=ColorBar((0, 0.05)), tile=64)
    for wider in (captioned, barred):
        assert wider.shape[0] == plain.shape[0]
        assert wider.shape[1] > plain.shape[1]
        y0, y1, x0, x1 = boxes(wider, RED[0, 0])
        assert (y1 - y0, x1 - x0) == (63, 63)


def test_the_color_bar_runs_from_dark_below_to_light_above():
    sheet = draw_sheet([{'A': RED}], color_bar=ColorBar((0, 0.05)), tile=96)
    right = sheet[:, boxes(sheet, RED[0, 0])[3] + 8 :]
    colorful = np.ptp(right.astype(int), axis=-1) > 40
    column = colorful.sum(0).argmax()
    strip = right[colorful[:, column], column] @ [0.2126, 0.7152, 0.0722]
    assert len(strip) > 80 and (np.diff(strip) <= 1e-9).all()


def test_a_long_header_shrinks_to_its_tile():
    sheet = draw_sheet([{'A rather long header': RED}], tile=96)
    assert sheet.shape[1] == draw_sheet([{'A': RED}], tile=96).shape[1]
    header = sheet[: boxes(sheet, RED[0, 0])[0]]
    assert (header[:, 0] == 255).all()


def test_wrong_captions_are_named_and_no_rows_give_an_empty_sheet():
    with pytest.raises(ValueError, match='2 captions for 1 rows'):
        draw_sheet([{'A': RED}], captions=['a', 'b'])
    assert draw_sheet([], ['A', 'B'], tile=32).shape[2] == 3
