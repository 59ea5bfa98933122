"""Mistakes in an export are told before anything is written."""

from pathlib import Path

import pytest

from mmd2a.cli import export
from mmd2a.cli.main import build_parser
from mmd2a.cli.one_line import one_line

CONFIG = Path(__file__).parents[2] / 'configs' / 'd2a_hmr_hrnet.py'
NAME = 'mmd2a://d2a_hmr_mobilenet-v2'


def parse(*arguments):
    return build_parser().parse_args(['export', *map(str, arguments)])


@pytest.mark.parametrize(
    ('arguments', 'ending'),
    [
        (('--out', 'model.pt2'), '.onnx'),
        (('--format', 'torch', '--out', 'model.onnx'), '.pt2'),
    ],
)
def test_a_file_ends_as_its_format_does(arguments, ending):
    with pytest.raises(ValueError, match=f'ends in \\{ending}'):
        export.check(parse(NAME, *arguments))


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (('absent',), 'there are d2a_hmr_mobilenet-v2'),
        (('mobilenet-v2-imagenet',), 'name a whole model'),
        ((CONFIG,), 'name its checkpoint with --weights'),
        ((NAME, '--weights', 'a.pth'), 'name one of both'),
        ((CONFIG, '--weights', 'absent.pth'), 'no checkpoint absent.pth'),
    ],
)
def test_models_that_are_not_there_are_told_in_one_line(
    arguments, says, tmp_path
):
    pytest.importorskip('mmpose')
    out = tmp_path / 'model.pt2'
    args = parse(*arguments, '--format', 'torch', '--out', out)
    export.check(args)
    with pytest.raises(Exception, match=says) as error:
        export.run(args)
    line = one_line(error.value)
    assert line is not None and '\n' not in line
    assert not out.exists()


def test_the_names_of_the_types_are_those_of_the_exporter():
    from mmd2a.apis.export_model import FORMATS
    from mmd2a.apis.exported_mesh import DTYPES

    for dtype in DTYPES:
        for format in FORMATS:
            parse(NAME, '--format', format, '--dtype', dtype, '--out', 'a')
