"""Who makes a row due also wakes its lane: every statement that sets `due_at` stands beside `note_due`."""

import ast
from collections.abc import Iterator, Mapping

from bot.storage import question_tables, tables
from bot.storage.events import tables as event_tables
from tests.meta.sources import modules, trees

JOBS = {
    name
    for module in (tables, event_tables, question_tables)
    for name, table in vars(module).items()
    if getattr(table, "c", None) is not None and "due_at" in table.c
} | {"table", "self._table"}
GIVES_ROWS_BACK = {"claim", "renew", "release_all", "mark"}
"""Of bot/storage/due.py: they move leases and never the time. A lane that woke itself by claiming would never sleep."""


def sets_due_at(values: ast.Call) -> bool:
    """Whether `.values(...)` may store a time in `due_at`."""
    for keyword in values.keywords:
        is_none = isinstance(keyword.value, ast.Constant) and keyword.value.value is None
        if keyword.arg is None or (keyword.arg == "due_at" and not is_none):
            return True
    return False


def written_table(values: ast.Call) -> str:
    """The name in `sa.insert(name)` or `sa.update(name)` that a chain of calls begins with."""
    node: ast.expr = values
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if ast.unparse(node.func) in {"sa.insert", "sa.update"}:
            return ast.unparse(node.args[0])
        node = node.func.value
    return ""


def forgotten(sources: Mapping[str, str]) -> Iterator[str]:
    for path, tree in trees(sources):
        for function in ast.walk(tree):
            if not isinstance(function, ast.AsyncFunctionDef) or function.name in GIVES_ROWS_BACK:
                continue
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            makes_due = any(
                isinstance(call.func, ast.Attribute)
                and call.func.attr == "values"
                and written_table(call) in JOBS
                and sets_due_at(call)
                for call in calls
            )
            if makes_due and not any(ast.unparse(call.func) == "note_due" for call in calls):
                yield f"{path}:{function.lineno} {function.name} sets due_at and does not call note_due"


def test_every_write_that_makes_a_row_due_wakes_its_lane() -> None:
    sources = {path: text for path, text in modules("bot", "cogs").items() if "/migrations/" not in path}
    assert list(forgotten(sources)) == []


def test_a_write_that_forgets_its_lane_is_noticed() -> None:
    text = "async def soon(connection):\n    await connection.execute(sa.update(posts).values(due_at=1))\n"
    assert list(forgotten({"bot/storage/late.py": text})) == [
        "bot/storage/late.py:1 soon sets due_at and does not call note_due"
    ]
    assert list(forgotten({"bot/storage/late.py": text.replace("due_at=1", "due_at=None")})) == []
    assert list(forgotten({"bot/storage/late.py": text.replace("(posts)", "(votes)")})) == []
