"""Which process does what, and mistakes before anything is imported."""

from pathlib import Path

import pytest

from mmd2a.cli import label
from mmd2a.cli.label import _rank
from mmd2a.cli.main import build_parser

IMAGES = Path(__file__).parents[2] / 'docs' / 'images'


def parse(*arguments):
    given = ['label', IMAGES, '--out', 'labels', *arguments]
    return build_parser().parse_args(list(map(str, given)))


@pytest.mark.parametrize(
    ('arguments', 'environment', 'expected'),
    [
        ((), {}, (0, 1)),
        ((), dict(RANK='3', WORLD_SIZE='8'), (3, 8)),
        ((), dict(SLURM_PROCID='2', SLURM_STEP_NUM_TASKS='4'), (2, 4)),
        # The script of sbatch has tasks to give away, and is none of them.
        ((), dict(SLURM_PROCID='0', SLURM_NTASKS='4'), (0, 1)),
        (('--rank', 1, '--world-size', 2), dict(RANK='0'), (1, 2)),
    ],
)
def test_a_process_knows_its_number(arguments, environment, expected):
    assert _rank(parse(*arguments), environment) == expected


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (('--shards', 0), '--shards 0: give 1 or more'),
        (('--threads', 0), '--threads 0: give 1 or more'),
        (('--rank', 1), 'give both'),
        (('--rank', 2, '--world-size', 2), 'give --rank 0 to 1'),
        (('--fov', 200), 'less than 180'),
        (('--boxes', 'absent.json'), 'correct the path'),
        (('--batch-size', 0), 'give 1 or more'),
    ],
)
def test_arguments_that_do_not_fit_are_refused_early(arguments, says):
    with pytest.raises((OSError, ValueError), match=says) as error:
        label.check(parse(*arguments))
    assert '\n' not in str(error.value)


def test_a_job_is_another_one_with_another_file_of_boxes(tmp_path):
    boxes = tmp_path / 'boxes.json'
    settings = []
    for text in ('{}', '[]'):
        boxes.write_text(text)
        settings.append(label._settings(parse('--boxes', boxes)))
    assert settings[0] != settings[1]
    assert settings[0]['boxes'].startswith('boxes.json ')
    assert settings[0] | dict(boxes=None) == settings[1] | dict(boxes=None)
