"""What people see in a simulated server stands in the sheet of `make sentences`, except for what is filled in."""

from collections.abc import Iterator
from typing import Any

from tests.cogs.simulated_guild import COMMAND_MENTION, Stage, blurry, board_of, photos
from tests.sentences.gaps import gaps
from tests.sentences.sheet import texts_by_file

WORDS = {"content", "label", "description", "placeholder", "title"}
FILLED_IN = {"Foxy", "jpg", "Team", "dbox"}
"""Names of things: the LoRA, its files, the provider's team, the end of the key."""


def words_in(part: Any, key: str = "") -> Iterator[str]:
    """Every text in a message or a form that Discord shows."""
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from words_in(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from words_in(inner, key)
    elif isinstance(part, str) and key in WORDS:
        yield COMMAND_MENTION.sub(r"`/\1`", part)


async def test_what_the_bot_sends_is_in_the_sheet_but_for_names(keyed: Stage) -> None:
    for command in ("about", "settings", "me", "jobs", "keys status", "budget show", "privacy show", "event status"):
        await keyed.use(keyed.ada, command)
    await keyed.use(keyed.ben, "loras show", lora="none of mine")
    board_of(await keyed.send_form(keyed.ben, "Foxy", [*photos(2), ("photo-3.jpg", blurry())]))
    requests = [request for request in keyed.world.env.http_requests if "/commands" not in request.path]
    shown = list(words_in([request.json for request in requests]))
    assert any("It looks blurry" in text for text in shown)

    by_file = texts_by_file()
    assert gaps(shown, (each.text for found in by_file.values() for each in found)) <= FILLED_IN
    others = [found for path, found in by_file.items() if path != "cogs/training/board.py"]
    assert "advice" in gaps(shown, (each.text for found in others for each in found)), "a file that is left out is seen"
