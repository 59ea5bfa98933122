"""Values of ``--cfg-options`` that are written as in a config."""

import ast
from typing import Any

__all__ = ['is_config_value', 'parse_config_value']


def is_config_value(text: str) -> bool:
    """Tell whether dicts are in a value, which MMEngine does not read.

    Example:
        >>> is_config_value("[dict(type='mmd2a.MeshMetric')]")
        True
        >>> is_config_value('[1,2]')
        False
    """
    return 'dict(' in text or '{' in text


def parse_config_value(text: str) -> Any:
    """Read a value as a config has it: lists, dicts, numbers and strings.

    Nothing is executed: names and calls other than ``dict(key=value)`` are
    refused.

    Raises:
        ValueError: something else is in it.

    Example:
        >>> parse_config_value("[dict(type='a', size=(1, -2)), {'b': None}]")
        [{'type': 'a', 'size': (1, -2)}, {'b': None}]
    """
    try:
        tree = ast.parse(text.strip(), mode='eval')
        return ast.literal_eval(_DictCalls().visit(tree).body)
    except (SyntaxError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(
            f'{text!r} is no value as in a config; write lists, '
            "dict(type='name', key=1), strings in quotes and numbers"
        ) from error


class _DictCalls(ast.NodeTransformer):
    """``dict(a=1)`` -> ``{'a': 1}``."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        known = isinstance(node.func, ast.Name) and node.func.id == 'dict'
        if not known or node.args or any(k.arg is None for k in node.keywords):
            raise ValueError('a call that is no dict(key=value)')
        self.generic_visit(node)
        return ast.Dict(
            keys=[ast.Constant(keyword.arg) for keyword in node.keywords],
            values=[keyword.value for keyword in node.keywords],
        )
