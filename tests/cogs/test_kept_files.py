"""Which files of a message its edit lists, so that they stay."""

from typing import Any

import discord
import pytest

from cogs.adapters.kept_files import KeptFile, kept_files, named_files
from cogs.ui.layout import SafeLayout

CDN = "https://cdn.discordapp.com/attachments/1"


def gallery(*files: tuple[int | None, str]) -> dict[str, Any]:
    """A gallery as Discord gives it back."""
    medias = [{"url": f"{CDN}/{file_id or 0}/{name}?ex=1&hm=2", "attachment_id": file_id} for file_id, name in files]
    return {"type": 12, "id": 2, "items": [{"media": media, "spoiler": False} for media in medias]}


def box(*children: dict[str, Any]) -> discord.Component:
    payload: Any = {"type": 17, "id": 1, "components": list(children), "spoiler": False}
    return discord.components.Container(payload, None)


def test_a_card_names_the_files_of_its_gallery() -> None:
    layout = SafeLayout()
    layout.add_text("attachment://no-file.jpg is only said")
    layout.add_gallery([("ballot-1-1-1.jpg", 'a "quoted" text'), ("ballot-1-2-1.jpg", "")])
    assert named_files(layout) == {"ballot-1-1-1.jpg", "ballot-1-2-1.jpg"}
    assert named_files(SafeLayout()) == frozenset()


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        ({"a.jpg", "b.jpg"}, [KeptFile(11, "a.jpg"), KeptFile(12, "b.jpg")]),
        ({"b.jpg"}, [KeptFile(12, "b.jpg")]),
        ({"a.jpg", "gone.jpg"}, [KeptFile(11, "a.jpg")]),
        (set(), []),
    ],
)
def test_files_that_a_component_shows_are_found_by_its_ids(names: set[str], kept: list[KeptFile]) -> None:
    shown = box(gallery((11, "a.jpg"), (12, "b.jpg"), (None, "from-elsewhere.jpg")))
    assert kept_files([], [shown], names) == kept


def test_a_name_that_discord_escapes_in_the_address_is_the_same_name() -> None:
    shown = box(gallery((11, "a%20b.jpg")))
    assert kept_files([], [shown], {"a b.jpg"}) == [KeptFile(11, "a b.jpg")]
    assert KeptFile(11, "a b.jpg").to_dict() == {"id": 11, "filename": "a b.jpg"}
