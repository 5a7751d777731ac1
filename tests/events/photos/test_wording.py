"""What people agree to names everything that happens to their photos."""

from datetime import timedelta

import pytest

from bot.events.photos.consent_texts import consent_sentence, depicted_sentence
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode
from bot.storage.database import Database
from tests.fakes.events import add_event

KEPT = timedelta(hours=50)


@pytest.fixture
async def event(database: Database) -> Event:
    return await add_event(database, name="Mascot `@everyone` days")


@pytest.mark.parametrize("sentence", [consent_sentence, depicted_sentence])
def test_both_sentences_say_who_gets_what_for_how_long_and_how_to_stop(event: Event, sentence: object) -> None:
    assert callable(sentence)
    words = sentence(event, KEPT)
    for part in ("18 or older", "Apiframe", "train a LoRA", "50 hours", "yearbook", "at any time", "deleted"):
        assert part in words


def test_who_gives_photos_has_everybodys_permission(event: Event) -> None:
    assert "permission of everyone in them" in consent_sentence(event, KEPT)


async def test_a_character_names_its_own_provider_and_that_it_keeps_the_photos(database: Database) -> None:
    event = await add_event(database, mode=EventMode.PERSONAL, subject_kind=SubjectKind.CHARACTER)
    words = consent_sentence(event, KEPT)
    assert "Aurous Labs, which keeps them" in words
    assert "Apiframe" not in words


async def test_only_where_hosts_choose_they_look_at_the_photos(database: Database, event: Event) -> None:
    personal = await add_event(database, mode=EventMode.PERSONAL)
    assert "hosts may look" in consent_sentence(event, KEPT)
    assert "hosts may look" not in consent_sentence(personal, KEPT)


def test_the_events_name_stays_harmless(event: Event) -> None:
    assert "**Mascot \\`\\@\u200beveryone\\` days**" in consent_sentence(event, KEPT)
