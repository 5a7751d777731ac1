"""The words for people in Python source: each text with its line, and by name in braces what is filled in."""

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

SILENT_CALLS = re.compile(
    r"(log|logging)\.|app_commands\.(command|describe|choices)$|(\w+\.)*\w+\.command$|app_commands\.ContextMenu$"
    r"|(re\.)?(compile|sub|fullmatch|search)$|(print|getLogger|TypeVar|_words|_numbered|_in_tens|strptime)$"
)
"""Calls that take lines of the log, patterns and names of parts; and what the sheet has from the tree of commands."""
SILENT_ARGUMENTS = {"custom_id"}
TIMELINE = re.compile(r"(^timeline\.add|\._note)$")
GIVEN = re.compile(r"\{[\w.]*\}")
TWO_LETTERS = re.compile(r"[^\W\d_]{2}")
LABEL = re.compile(r"\W*[A-Z][a-z]+(/[A-Z][a-z]+)*\W*")


@dataclass(frozen=True, slots=True)
class Literal:
    line: int
    text: str


def literals(tree: ast.AST, answers: Collection[str]) -> list[Literal]:
    """In the order of the source; `answers` are the names of the errors whose text somebody gets to read."""
    found = dict.fromkeys(_texts(tree, answers))
    return sorted(found, key=lambda each: each.line)


def _is_for_people(text: str) -> bool:
    """Two words or more, what is filled in counts as one; or a single one with a capital letter."""
    said = GIVEN.sub("#", text)
    if TWO_LETTERS.search(said) is None:
        return False
    return len(said.split()) > 1 or LABEL.fullmatch(said) is not None


def _texts(node: ast.AST, answers: Collection[str]) -> Iterator[Literal]:
    match node:
        case ast.Constant(value=str(text)) if _is_for_people(text):
            yield Literal(node.lineno, text)
        case ast.JoinedStr():
            whole = _written(node)
            if _is_for_people(whole):
                yield Literal(node.lineno, whole)
            for part in _heard(node, answers):
                yield from (found for found in _texts(part, answers) if found.text not in whole)
        case ast.Call(args=[given, ast.Constant(value=str(noun))]) if _name(node.func) == "count":
            yield Literal(node.lineno, f"{_given(given)} {noun}(s)")
        case _:
            yield from _single_words(node)
            for child in _heard(node, answers):
                yield from _texts(child, answers)


def _single_words(node: ast.AST) -> Iterator[Literal]:
    """Words without a capital letter: of closed sets, one of two, and steps of a timeline."""
    match node:
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            words = [
                value for key, value in pairs if not (isinstance(key, ast.Constant) and isinstance(key.value, str))
            ]
        case ast.IfExp():
            words = [node.body, node.orelse]
        case ast.Call() if TIMELINE.search(ast.unparse(node.func)):
            words = node.args
        case _:
            words = []
    for word in words:
        match word:
            case ast.Constant(value=str(text)) if text.isalpha() and text.islower():
                yield Literal(word.lineno, text)


def _heard(node: ast.AST, answers: Collection[str]) -> list[ast.AST]:
    """The parts of a piece of source in which something for people can stand."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Compare() | ast.Assert() | ast.arg():
            return []
        case ast.Call() if SILENT_CALLS.match(ast.unparse(node.func)):
            return []
        case ast.Raise(exc=ast.Call() as raised) if _name(raised.func) not in answers:
            return []
        case ast.keyword() if node.arg in SILENT_ARGUMENTS:
            return []
        case ast.Subscript():
            return [node.value]
        case ast.AnnAssign():
            return [node.value] if node.value is not None else []
        case ast.JoinedStr():
            return [part for part in node.values if isinstance(part, ast.FormattedValue)]
        case ast.Dict():
            keys = [key for key in node.keys if key is not None and not isinstance(key, ast.Constant)]
            return [*keys, *node.values]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [*node.decorator_list, node.args, *node.body]
        case _:
            return list(ast.iter_child_nodes(node))


def _written(node: ast.expr) -> str:
    """What is said, with names in braces for what is not known before."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr():
            return "".join(map(_written, node.values))
        case ast.FormattedValue():
            return _given(node.value)
        case _:
            return _given(node)


def _given(node: ast.expr) -> str:
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            return f"{{{_written(body)}|{_written(orelse)}}}"
        case ast.BoolOp(op=ast.Or(), values=[first, ast.Constant(value=str(word))]):
            return f"{{{_name(first)}|{word}}}"
        case ast.BinOp(left=ast.Constant(value="s"), op=ast.Mult()):
            return "(s)"
        case ast.Call(args=[given, ast.Constant(value=str(noun))]) if _name(node.func) == "count":
            return f"{_given(given)} {noun}(s)"
        case ast.Constant():
            return str(node.value)
        case _:
            return f"{{{_name(node)}}}"


def _name(node: ast.AST) -> str:
    """The plainest name for a value: of `quote(lora.name, 40)` it is `lora.name`."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute(value=ast.Name() as owner):
            return f"{owner.id}.{node.attr}"
        case ast.Attribute(value=ast.Attribute() as owner):
            return f"{owner.attr}.{node.attr}"
        case ast.Attribute():
            return node.attr
        case ast.Call(args=[first, *_]) if not isinstance(first, ast.GeneratorExp | ast.Constant | ast.Starred):
            return _name(first)
        case ast.Call():
            return _name(node.func)
        case ast.Await() | ast.Subscript():
            return _name(node.value)
        case _:
            names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
            return names[-1].id if names else ""
