"""What members write passes the list of words and, outside age-restricted channels, that of explicit ones."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.datasets.rules import DatasetOrder
from bot.errors import NotAllowed, UserError
from bot.events.planning.drafts import EventDraft
from bot.generation.order import PartialOrder, PictureOrder
from bot.moderation.texts import NOT_EXPLICIT_HERE, NOTHING_EXPLICIT, REFUSED
from bot.records.dataset import Gender, SubjectKind
from bot.records.event import EventMode
from bot.records.generation import GenerationSettings, Operation
from bot.records.guild import Actor, Channel
from bot.storage import tables
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import OTHER_KEY, Studio
from tests.generation.picture_orders import add_character, finish, set_aurous_key

MODERATOR = Actor(GUILD, 993, is_moderator=True)
ME, HERE = Actor(GUILD, ANNA, is_admin=True), Channel(CHANNEL)
ADULTS_ONLY = Channel(CHANNEL, is_age_restricted=True)
WORD, HIDDEN = "badger", "a B\u0430d-g3r"


def draft(name: str = "Party", theme: str = "Cats", rules: str = "") -> EventDraft:
    return EventDraft(name, theme, rules, EventMode.CLUB, SubjectKind.OBJECT)


async def begin(studio: Studio, order: DatasetOrder) -> None:
    await studio.datasets.create(order, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)


async def change(studio: Studio, **changes: Any) -> None:
    event = await studio.events.create(draft(), ME, HERE)
    await studio.events.change(event.id, ME, **changes)


async def repeat(studio: Studio, text: str) -> None:
    """The words came to the list after the first pictures had been ordered."""
    await studio.moderation.set_words(MODERATOR, "")
    made = await studio.order(await studio.lora(), text)
    await studio.settle()
    await studio.pass_time(timedelta(seconds=20))
    await studio.moderation.set_words(MODERATOR, WORD)
    await studio.generations.again(made.id, ME, channel=HERE)


WRITTEN: dict[str, Callable[[Studio, str], Awaitable[object]]] = {
    "a prompt": lambda studio, text: studio.orders.accept(PictureOrder(text), ME, HERE),
    "what a picture shall not show": lambda studio, text: studio.orders.accept(
        PictureOrder("a cat", GenerationSettings(negative=text)), ME, HERE
    ),
    "what pictures from asked photos shall not show": lambda studio, text: studio.requests.for_pictures(
        "a cat", GenerationSettings(negative=text), (), BEN, ME, HERE
    ),
    "a prompt with last time's settings": lambda studio, text: studio.orders.order_with_defaults(
        PartialOrder(text, frozenset()), ME, HERE
    ),
    "the same again": repeat,
    "the name of a dataset": lambda studio, text: begin(studio, DatasetOrder(text, SubjectKind.OBJECT)),
    "the ethnicity of a person": lambda studio, text: begin(
        studio, DatasetOrder("Rex", SubjectKind.PERSON, gender=Gender.FEMALE, ethnicity=text)
    ),
    "an age": lambda studio, text: begin(
        studio, DatasetOrder("Rex", SubjectKind.PERSON, gender=Gender.FEMALE, ethnicity="Mixed", age=f"30 {text}")
    ),
    "the name of an event": lambda studio, text: studio.events.create(draft(name=text), ME, HERE),
    "the theme of an event": lambda studio, text: studio.events.create(draft(theme=text), ME, HERE),
    "the rules of an event": lambda studio, text: studio.events.create(draft(rules=text), ME, HERE),
    "another theme": lambda studio, text: change(studio, theme=text),
    "a pack": lambda studio, text: change(studio, pack=("a cat", text)),
}


@pytest.mark.parametrize("what", WRITTEN)
async def test_a_word_of_the_list_is_refused_wherever_it_is_written(studio: Studio, what: str) -> None:
    """Mutants: without `check_text` there, it is stored."""
    await studio.set_key()
    await studio.moderation.set_words(MODERATOR, WORD)
    with pytest.raises(UserError) as refused:
        await WRITTEN[what](studio, HIDDEN)
    assert str(refused.value) == REFUSED
    assert WORD not in REFUSED
    stored = await studio.scalars(sa.select(tables.generations.c.prompt)) + await studio.scalars(
        sa.select(tables.datasets.c.name)
    )
    assert what == "the same again" or HIDDEN not in str(stored)


@pytest.mark.parametrize("field", ["rename", "note"])
async def test_names_and_notes_of_loras_are_read_too(studio: Studio, field: str) -> None:
    await studio.set_key()
    lora = await studio.lora()
    await studio.moderation.set_words(MODERATOR, WORD)
    doing = studio.loras.rename if field == "rename" else studio.loras.write_note
    with pytest.raises(UserError, match=REFUSED):
        await doing(lora.id, HIDDEN, ME)
    await doing(lora.id, "fine", ME)


async def test_a_list_holds_in_its_server_only_and_until_it_is_emptied(studio: Studio) -> None:
    await studio.set_key()
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    await studio.moderation.set_words(MODERATOR, WORD)
    await studio.orders.accept(PictureOrder(HIDDEN), Actor(OTHER_GUILD, ANNA), HERE)
    with pytest.raises(UserError, match=REFUSED):
        await studio.orders.accept(PictureOrder(HIDDEN), ME, HERE)
    await studio.moderation.set_words(MODERATOR, " \n")
    await studio.orders.accept(PictureOrder(HIDDEN), ME, HERE)
    ordered = await studio.everything()
    assert [row["guild_id"] for row in ordered["generations"]] == [OTHER_GUILD, GUILD]


@pytest.mark.parametrize(
    ("is_allowed", "channel", "said"),
    [
        (False, HERE, NOTHING_EXPLICIT),
        (False, ADULTS_ONLY, NOTHING_EXPLICIT),
        (True, HERE, NOT_EXPLICIT_HERE),
        (True, ADULTS_ONLY, None),
    ],
)
async def test_explicit_prompts_are_off_or_for_age_restricted_channels(
    studio: Studio, *, is_allowed: bool, channel: Channel, said: str | None
) -> None:
    await studio.set_key()
    await studio.guilds.choose_adult(GUILD, is_allowed=is_allowed)
    ordered = studio.orders.accept(PictureOrder("a n\u00fcd3 man"), ME, channel)
    if said is None:
        await ordered
    else:
        with pytest.raises(UserError) as refused:
            await ordered
        assert str(refused.value) == said


@pytest.mark.parametrize("operation", [Operation.UPSCALE_CLARITY, Operation.REMOVE_BACKGROUND])
async def test_what_is_made_of_an_explicit_picture_stays_in_age_restricted_channels(
    studio: Studio, operation: Operation
) -> None:
    """Mutant: only new pictures are looked at, so that an enlarged one is posted anywhere."""
    await studio.set_key()
    await studio.guilds.choose_adult(GUILD, is_allowed=True)
    lora = await studio.lora()
    made = (await studio.orders.accept(PictureOrder("a nude man", lora_id=lora.id), ME, ADULTS_ONLY)).generation
    await finish(studio)
    [picture_id] = await studio.scalars(
        sa.select(tables.pictures.c.id).where(tables.pictures.c.generation_id == made.id)
    )
    with pytest.raises(UserError, match="age-restricted"):
        await studio.generations.edit(picture_id, operation, ME, channel=HERE)
    await studio.generations.edit(picture_id, operation, ME, channel=ADULTS_ONLY)


async def test_explicit_words_may_say_what_a_picture_shall_not_show(studio: Studio) -> None:
    """Mutant: reading what is not wanted like a prompt refuses who wants no nudity."""
    await set_aurous_key(studio)
    settings = GenerationSettings(negative="nude, nsfw")
    order = PictureOrder("a cat", settings, await add_character(studio))
    assert (await studio.orders.accept(order, ME, HERE)).generation.settings.negative == "nude, nsfw"


async def test_fields_of_one_form_are_read_each_for_itself(studio: Studio) -> None:
    """Mutant: joined with each other, the end of one and the beginning of the next are a phrase of the list."""
    await studio.moderation.set_words(MODERATOR, "hot dog")
    created = await studio.events.create(draft(name="Hot", theme="Dog show"), ME, HERE)
    assert (created.name, created.theme) == ("Hot", "Dog show")
    with pytest.raises(UserError, match=REFUSED):
        await studio.events.create(draft(name="Hot dog", theme="Show"), ME, HERE)


async def test_the_list_holds_in_age_restricted_channels_too(studio: Studio) -> None:
    await studio.set_key()
    await studio.guilds.choose_adult(GUILD, is_allowed=True)
    await studio.moderation.set_words(MODERATOR, WORD)
    with pytest.raises(UserError, match=REFUSED):
        await studio.orders.accept(PictureOrder(HIDDEN), ME, ADULTS_ONLY)


async def test_only_moderators_see_and_change_the_list(studio: Studio) -> None:
    for doing in (studio.moderation.words(Actor(GUILD, ANNA)), studio.moderation.set_words(Actor(GUILD, ANNA), WORD)):
        with pytest.raises(NotAllowed):
            await doing
