"""What the card of a gallery on the web says and offers, to members and to those who run the event."""

from datetime import timedelta

import discord
import pytest

from bot.events.yearbook.gallery import GalleryView, wording_of
from bot.records.event import EventStatus, Gallery
from cogs.events.member.gallery import AFTERWARDS, gallery_card
from cogs.ui.buttons import RIGHTS_OF_EVERYBODY, ActionButton
from tests.fakes.clock import NOON
from tests.fakes.events import make_event
from tests.fakes.rows import GUILD

EVENT = make_event(status=EventStatus.FINISHED, ended_at=NOON)
GALLERY = Gallery(1, EVENT.id, GUILD, "t" * 43, NOON, NOON + timedelta(days=30))
ADDRESS = f"https://bot.example.org/events/{GALLERY.token}/"


def view_of(name: str | None = None, *, is_open: bool = True) -> GalleryView:
    gallery, address = (GALLERY, ADDRESS) if is_open else (None, None)
    return GalleryView(EVENT, gallery, address, 2, 5, name, wording_of(GALLERY, "Anna") if is_open else "")


def said_by(card: discord.ui.LayoutView) -> str:
    return "\n".join(item.content for item in card.walk_children() if isinstance(item, discord.ui.TextDisplay))


def labels_on(card: discord.ui.LayoutView) -> list[str]:
    return [str(item.item.label) for item in card.walk_children() if isinstance(item, ActionButton)]


@pytest.mark.parametrize(
    ("view", "runs", "labels"),
    [
        (view_of(is_open=False), True, ["Open a web gallery"]),
        (view_of(is_open=False), False, []),
        (view_of(), False, ["I agree"]),
        (view_of(), True, ["I agree", "Close it"]),
        (view_of("Anna"), False, ["Take it back"]),
        (view_of("Anna"), True, ["Take it back", "Close it"]),
    ],
)
def test_it_offers_what_its_reader_may_do(view: GalleryView, *, runs: bool, labels: list[str]) -> None:
    assert labels_on(gallery_card(view, runs=runs)) == labels


def test_it_says_what_is_agreed_to_before_it_is() -> None:
    text = said_by(gallery_card(view_of(), runs=False))
    assert ADDRESS in text
    assert "2 members agreed, 5 pictures can be seen." in text
    assert f"> {wording_of(GALLERY, 'Anna')}" in text
    assert ADDRESS not in said_by(gallery_card(view_of(is_open=False), runs=True))


def test_it_says_how_one_is_taken_out_after_leaving_to_those_who_are_in_it() -> None:
    assert AFTERWARDS in said_by(gallery_card(view_of("Anna"), runs=False))
    assert AFTERWARDS not in said_by(gallery_card(view_of(), runs=False))


def test_whoever_is_blocked_still_takes_it_back() -> None:
    assert {("gallery", "show"), ("gallery", "back")} <= RIGHTS_OF_EVERYBODY
    assert ("gallery", "agree") not in RIGHTS_OF_EVERYBODY
