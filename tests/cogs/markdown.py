"""What Discord makes of a text: by the rules of its clients, and by simcord's Markdown parser."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from simcord.preview._markdown import markdown_tokens

from bot import command_mentions
from tests.cogs.hostile_texts import HOSTILE, MARK, SNOWFLAKE
from tests.cogs.simulated_guild import COMMAND_MENTION

_LITERAL = re.compile(r"\\[^A-Za-z0-9\s]|(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))", re.DOTALL)
_ENTITY = re.compile(
    r"@everyone|@here|<(?:@[!&]?|#)\d+>|</[^:<>\n]+:\d+>|<t:-?\d+(?::\w)?>|<a?:\w+:\d+>|<id:\w+>|<\+\d+>|:\w+:"
    r"|(?:https?|steam)://[^\s<]+|<[^\s:<>]+:[^\s<>]+>|discord(?:\.gg|app\.com/invite|\.com/invite)/\w+"
    r"|\[[^\]]*\]\([^)]*\)",
    re.IGNORECASE,
)
_FORMATS = {
    "bold": re.compile(r"\*\*(.+?)\*\*(?!\*)", re.DOTALL),
    "underline": re.compile(r"__(.+?)__(?!_)", re.DOTALL),
    "struck": re.compile(r"~~(.+?)~~", re.DOTALL),
    "spoiler": re.compile(r"\|\|(.+?)\|\|", re.DOTALL),
    "italic": re.compile(r"(?<!\*)\*(?![\s*])([^*]+)\*(?!\*)|(?<!_)_([^_]+)_(?!\w)"),
    "code": re.compile(r"`+([^`]+)`+"),
}
_LINE = re.compile(r"^ *(?:#{1,3}|-#|>(?:>>)?|[-*+]|\d+[.)])\s+(.*)", re.MULTILINE)
_PLAIN = {"text", "strong", "code", "code_block"}
_CONTEXT = {
    **{names: {SNOWFLAKE: "somebody"} for names in ("users", "roles", "channels")},
    "commands": {SNOWFLAKE: "train"},
    "emojis": {SNOWFLAKE: {"id": SNOWFLAKE, "name": MARK, "animated": False}},
    "everyone": True,
}


def live_text(text: str) -> str:
    """What Discord would interpret: without code spans, escaped characters and mentions of the bot's own commands."""
    own = set(command_mentions._ids.values())
    shown = COMMAND_MENTION.sub(lambda found: "" if int(found[2]) in own else found[0], text)
    return _LITERAL.sub(lambda found: "" if found["code"] else "·", shown)


def shapes(text: str) -> list[tuple[str, str]]:
    """Each shape that is alive in it, with its kind: mentions, links, emoji, times, formats, headings and lists."""
    live = live_text(text)
    found = [("entity", each[0]) for each in _ENTITY.finditer(live)]
    for kind, pattern in _FORMATS.items():
        found += [(kind, next(filter(None, each.groups()))) for each in pattern.finditer(live)]
    inside = [content for kind, content in found if kind != "entity"]
    return found + [("line", each[1]) for part in (live, *inside) for each in _LINE.finditer(part)]


def alive(text: str) -> list[tuple[str, str]]:
    """Shapes that somebody's hostile text has got into the message. Bold around it is the bot's own."""
    found = [(kind, content) for kind, content in shapes(text) if kind != "bold" and HOSTILE.search(content)]
    typed = [(kind, content) for kind, content in found if kind != "line" or content.startswith(MARK)]
    return typed + [
        (kind, content) for kind, content in tokens(text) if kind not in {"text", "strong", "code", "code_block"}
    ]


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """What simcord's parser makes of hostile parts: the kind of each innermost token that holds one, and its text."""
    yield from _tokens(markdown_tokens(text, "text_display", context=_CONTEXT))


def _tokens(parsed: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    around: list[str] = []
    for token in parsed:
        kind, children = token["type"], token.get("children")
        if children is not None:
            yield from _tokens(children)
        elif kind.endswith("_open"):
            around.append(f"link {token['href']}" if kind == "link_open" else kind.removesuffix("_open"))
        elif kind.endswith("_close"):
            around.pop()
        else:
            said = str(token.get("content") or token.get("label") or token.get("unix") or "")
            if kind in {"mention", "command", "emoji"} or HOSTILE.search(" ".join([said, *around])):
                yield around[-1] if around and kind == "text" else kind, said
