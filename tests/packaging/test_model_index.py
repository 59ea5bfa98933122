"""The model index is what the ecosystem's own checker expects."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_checker_of_model_indices_finds_nothing_to_say():
    loading = pytest.importorskip('modelindex.load_model_index')
    index = loading.load(str(ROOT / 'model-index.yml'))
    index.build_models_with_collections()
    assert index.check(silent=True) == []
