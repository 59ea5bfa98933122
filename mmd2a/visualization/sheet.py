"""A figure of labelled pictures: one row per person, one column per kind."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mmd2a.visualization.colors import SIGMA_COLORMAP

_INK = (35, 35, 35)
_PALE = (150, 150, 150)
_EMPTY = (244, 244, 244)


class ColorBar(NamedTuple):
    """What a colour map means, drawn at the right of a sheet.

    Attributes:
        limits: values of its two ends, metres; labelled in millimetres.
        label: what it measures.
        colormap: a matplotlib colour map.
    """

    limits: tuple[float, float]
    label: str = 'per-vertex σ (mm)'
    colormap: str = SIGMA_COLORMAP


def draw_sheet(
    rows: Sequence[Mapping[str, NDArray[np.uint8]]],
    columns: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    color_bar: ColorBar | None = None,
    tile: int = 256,
) -> NDArray[np.uint8]:
    """Set pictures into a labelled grid on white.

    Args:
        rows: per person, pictures (H, W, 3) uint8 RGB by column name. A
            picture that is not square keeps its shape, centred on its tile; a
            missing one leaves its tile empty.
        columns: names, drawn above. None: every name in ``rows``, in the order
            in which they come up.
        captions: one text per row, drawn at its left.
        color_bar: meaning of the colours of the last column.
        tile: side of a tile, pixels.

    Returns:
        The sheet, (H, W, 3) uint8 RGB.

    Example:
        >>> picture = np.zeros((64, 64, 3), np.uint8)
        >>> draw_sheet([{'Input': picture, 'Mesh': picture}], tile=64).shape
        (86, 134, 3)
    """
    if columns is None:
        columns = list(dict.fromkeys(name for row in rows for name in row))
    if captions is not None and len(captions) != len(rows):
        raise ValueError(f'{len(captions)} captions for {len(rows)} rows')
    text_size = max(11, round(tile / 18))
    gutter = max(2, round(tile / 64))
    margin = gutter
    header = round(1.8 * text_size)
    left = margin + (round(1.8 * text_size) if captions else 0)
    bar = round(5.2 * text_size) if color_bar is not None else 0
    width = left + len(columns) * (tile + gutter) - gutter + margin + bar
    height = header + max(len(rows), 1) * (tile + gutter) - gutter + margin
    sheet = Image.new('RGB', (width, height), 'white')
    draw = ImageDraw.Draw(sheet)
    font = _font(text_size)

    for j, name in enumerate(columns):
        centre = left + j * (tile + gutter) + tile // 2
        place = (centre, header // 2)
        draw.text(place, name, _INK, _font(text_size, tile, name), 'mm')
    for i, row in enumerate(rows):
        y = header + i * (tile + gutter)
        for j, name in enumerate(columns):
            x = left + j * (tile + gutter)
            if name in row:
                sheet.paste(_fit(row[name], tile), (x, y))
            else:
                draw.rectangle((x, y, x + tile - 1, y + tile - 1), _EMPTY)
                place = (x + tile // 2, y + tile // 2)
                draw.text(place, 'not available', _PALE, font, 'mm')
        if captions:
            label = _upright_text(captions[i], tile, left - margin, text_size)
            sheet.paste(label, (margin // 2, y))
    if color_bar is not None:
        place = (width - bar - margin + gutter, header)
        extent = (bar, height - header - margin)
        sheet.paste(_draw_color_bar(color_bar, extent, text_size), place)
    return np.asarray(sheet).copy()


def _draw_color_bar(
    bar: ColorBar, size: tuple[int, int], text_size: int
) -> Image.Image:
    """Draw a vertical colour bar with round ticks, (width, height) px."""
    # Here, because matplotlib is slow to import.
    from matplotlib import colormaps
    from matplotlib.ticker import MaxNLocator

    width, height = size
    image = Image.new('RGB', size, 'white')
    draw = ImageDraw.Draw(image)
    font = _font(round(0.85 * text_size))
    x0, x1 = round(0.4 * text_size), round(1.3 * text_size)
    lower, upper = (1e3 * limit for limit in bar.limits)
    colors = colormaps[bar.colormap](np.linspace(1, 0, height))[:, None, :3]
    strip = np.repeat(np.rint(255 * colors).astype(np.uint8), x1 - x0, 1)
    image.paste(Image.fromarray(strip), (x0, 0))
    ticks = MaxNLocator(nbins=max(2, min(6, height // (3 * text_size))))
    for value in ticks.tick_values(lower, upper):
        share = (value - lower) / (upper - lower)
        y = (1 - share) * (height - 1)
        # A number at the very end would be cut off by the edge.
        if text_size / 2 <= y <= height - 1 - text_size / 2:
            draw.line((x1, y, x1 + text_size // 3, y), _INK)
            place = (x1 + text_size // 2, y)
            draw.text(place, f'{value:g}', _INK, font, 'lm')
    label_width = round(1.6 * text_size)
    label = _upright_text(bar.label, height, label_width, text_size)
    image.paste(label, (width - label_width, 0))
    return image


def _fit(picture: np.ndarray, tile: int) -> Image.Image:
    """Scale a picture into a tile, keeping its shape."""
    height, width = picture.shape[:2]
    scale = tile / max(height, width)
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    if size != (width, height):
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(picture, size, interpolation=method)
    if size == (tile, tile):
        return Image.fromarray(picture)
    image = Image.new('RGB', (tile, tile), _EMPTY)
    place = ((tile - size[0]) // 2, (tile - size[1]) // 2)
    image.paste(Image.fromarray(picture), place)
    return image


def _upright_text(
    text: str, length: int, thickness: int, text_size: int
) -> Image.Image:
    """Draw a line of text that reads upwards, centred."""
    image = Image.new('RGB', (length, thickness), 'white')
    font = _font(text_size, length, text)
    place = (length // 2, thickness // 2)
    ImageDraw.Draw(image).text(place, text, _INK, font, 'mm')
    return image.transpose(Image.Transpose.ROTATE_90)


def _font(
    size: int, room: int | None = None, text: str = ''
) -> ImageFont.FreeTypeFont:
    """The sheet's typeface, made smaller until a text fits its room."""
    font = _load_font(size)
    while room is not None and size > 6 and font.getlength(text) > room:
        size -= 1
        font = _load_font(size)
    return font


@lru_cache(maxsize=32)
def _load_font(size: int) -> ImageFont.FreeTypeFont:
    # matplotlib brings this font on every machine.
    from matplotlib import get_data_path

    return ImageFont.truetype(
        f'{get_data_path()}/fonts/ttf/DejaVuSans.ttf', size
    )
