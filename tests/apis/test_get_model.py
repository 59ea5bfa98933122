"""A model by its name, changed as asked; shipped ones are whole."""

import pytest

from mmd2a.apis import get_model
from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.weights import read_index


@pytest.mark.parametrize('name', [*read_index(), 'nothing'])
def test_every_name_of_the_index_is_a_model_and_others_are_refused(name):
    if name == 'nothing':
        with pytest.raises(CheckpointError, match='no weights mmd2a://noth'):
            get_model(f'mmd2a::{name}')
        return
    pytest.importorskip('mmpose')
    initial = bool(read_index()[name].parts)
    assert get_model(f'mmd2a::{name}', pretrained=not initial)
