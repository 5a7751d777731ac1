"""No statement is built of strings: what people type reaches the database as a parameter only."""

import ast
from collections.abc import Iterator, Mapping

import pytest

from tests.meta.sources import modules, trees

TAKES_SQL = ("execute", "executemany", "executescript", "exec_driver_sql", "text", "literal_column", "driver.run")
OF_OUR_OWN = ("PRAGMA ",)
"""Settings of a connection take no parameters (sqlite.org/pragma.html); their values are constants of ours."""


def built_statements(sources: Mapping[str, str]) -> Iterator[str]:
    """Statements that are put together where they are given to the database."""
    for path, tree in trees(sources):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            if f".{ast.unparse(node.func)}".endswith(tuple(f".{name}" for name in TAKES_SQL)) and is_built(
                node.args[0]
            ):
                yield f"{path}:{node.lineno} builds a statement"


def is_built(given: ast.expr) -> bool:
    if isinstance(given, ast.JoinedStr):
        first = given.values[0]
        return not (isinstance(first, ast.Constant) and str(first.value).startswith(OF_OUR_OWN))
    if isinstance(given, ast.BinOp):
        return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in ast.walk(given))
    return isinstance(given, ast.Call) and ast.unparse(given.func).rpartition(".")[2] in {"format", "join", "replace"}


def test_no_statement_is_built_of_strings() -> None:
    sources = {path: text for path, text in modules("bot", "cogs").items() if "/migrations/" not in path}
    assert list(built_statements(sources)) == []


@pytest.mark.parametrize(
    "line",
    [
        "connection.execute(sa.text(f'SELECT {name}'))",
        "connection.exec_driver_sql('SELECT ' + name)",
        "connection.execute('SELECT %s' % name)",
        "driver.run('SELECT {}'.format(name))",
        "sa.literal_column(f\"'{name}'\")",
        "cursor.executemany(' '.join(parts), rows)",
    ],
)
def test_a_built_statement_is_noticed(line: str) -> None:
    assert len(list(built_statements({"bot/storage/money/keys.py": line}))) == 1


def test_a_statement_with_parameters_and_settings_of_ours_pass() -> None:
    lines = "connection.execute(sa.select(keys).where(keys.c.id == key_id))\ncursor.execute(f'PRAGMA {pragma}')"
    assert list(built_statements({"bot/storage/money/keys.py": lines})) == []
