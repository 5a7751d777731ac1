"""The sheet has what people read, of every part of the bot, and nothing else."""

import ast

import pytest

from tests.meta.command_surface import SURFACE
from tests.meta.command_tree import command_tree
from tests.meta.sources import ROOT, modules, trees
from tests.sentences.gaps import gaps
from tests.sentences.literals import literals
from tests.sentences.sheet import HEARD, SILENT, is_heard, sheet, shown_errors, texts_by_file

MODULE = '''
"""What the module is for."""
log = logging.getLogger("the name of a log")
WORDS: Final = {Status.OPEN: "waiting", "a_key of it": "Still open"}
PATTERN = re.compile("a pattern of words")


class Board:
    """What the class is for."""

    @app_commands.command(description="From the tree of commands")
    async def show(self, how: Annotated[str, "a type of text"] = "as usual") -> "None or nothing":
        """What the function does."""
        log.info("The board was shown to %s", self.user)
        if self.state == "not open any more":
            raise NotFound(f"There is no board of {quote(self.lora.name, 40)} here.")
        if self.broken:
            raise ValueError("times are aware UTC")
        yield Button(custom_id="board show now", label="Close")
        yield f"{count(len(board.photos), 'photo')} {'is' if one else 'are'} here"
        yield f"{len(left)} picture{'s' * many} left of {self.most or 'none'}"
        yield self.lines["the first line"] + f"{self.name}-{self.number}" + "png"
'''


def test_what_stands_in_source_for_people_is_taken_with_names_for_what_is_filled_in() -> None:
    assert [each.text for each in literals(ast.parse(MODULE), {"NotFound"})] == [
        "waiting",
        "Still open",
        "as usual",
        "There is no board of {lora.name} here.",
        "Close",
        "{board.photos} photo(s) {is|are} here",
        "{left} picture(s) left of {self.most|none}",
    ]


async def test_every_command_with_its_options_and_choices_is_in_the_sheet() -> None:
    lines = sheet(await command_tree()).splitlines()
    for name, options in SURFACE.items():
        at = next(number for number, line in enumerate(lines) if line.removeprefix("/").split(":")[0] == name)
        below = [line.strip().split(":")[0] for line in lines[at + 1 : at + 1 + 2 * len(options)]]
        assert [each for each in options if each.removesuffix("!") not in below] == []
    assert "        the whole server | each member | a role" in lines


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bot/training/service.py", "There is no such training of yours here. `/jobs` shows what you have."),
        (
            "bot/storage/trouble.py",
            "Darkroom's storage is busy just now. Nothing was lost; please try again in a minute.",
        ),
        ("bot/policy.md", "Everybody in the photos is 18 or older and has agreed."),
        ("bot/events/yearbook/site.html", "All pictures are AI-generated. Made with Darkroom."),
        ("cogs/generation/forms.py", "Reset my settings"),
        ("cogs/events/texts.py", "looking through"),
    ],
)
def test_answers_buttons_words_and_pages_are_in_the_sheet(path: str, text: str) -> None:
    assert text in [each.text for each in texts_by_file()[path]]


def test_the_places_without_a_word_for_members_are_there() -> None:
    for path in (*SILENT, *HEARD):
        assert (ROOT / path).exists(), path


def test_no_answer_for_members_is_raised_where_the_sheet_does_not_look() -> None:
    shown = shown_errors()
    silent = {path: text for path, text in modules("bot", "cogs").items() if not is_heard(path)}
    raised = [
        f"{path}:{node.lineno}"
        for path, tree in trees(silent)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and literals(node, shown)
    ]
    assert raised == []


def test_what_is_left_of_a_shown_text_is_what_was_filled_in_or_is_not_in_the_sheet() -> None:
    texts = ["{count} photo(s) of {lora.name}", "Ready to start.", "in the {queue|list}"]
    assert gaps(["3 photos of Rex", "Ready to start."], texts) == {"Rex"}
    assert gaps(["Ready to begin. It is in the list"], texts) == {"Ready", "to", "begin", "It", "is"}
