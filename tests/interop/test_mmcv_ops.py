"""A missing compiled operator says how to get it, as the documents do."""

import re
from pathlib import Path

import pytest

from mmd2a.interop import mmcv_ops

INSTALL = Path(__file__).parents[2] / 'docs' / 'install.md'


def test_advice_is_that_of_the_installation_page():
    page = INSTALL.read_text()
    section = page[page.index('## mmcv with compiled operators') :]
    block = re.search(r'```sh\n(.*?)```', section, re.DOTALL)[1]
    commands = re.sub(r'\s*\\\n\s*', ' ', block).splitlines()
    assert tuple(commands) == mmcv_ops.FULL_MMCV


def test_a_call_names_the_operator_and_every_command():
    extension = mmcv_ops._StandInLoader().create_module(
        mmcv_ops.ModuleSpec('mmcv._ext', None)
    )
    with pytest.raises(NotImplementedError, match="'nms'") as error:
        extension.nms(1, 2)
    for command in mmcv_ops.FULL_MMCV:
        assert command in str(error.value)
