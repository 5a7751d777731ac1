"""A message is found again by the id of its card, also after it was edited, and no other one is taken for it."""

from dataclasses import replace
from typing import Any

from bot.records.post import PostKind
from bot.records.post_names import nonce_of
from bot.storage.jobs import posts
from cogs.adapters.poster import DiscordPoster
from tests.cogs.events.event_actions import admin, open_event
from tests.cogs.simulated_guild import Stage, text_of, until


async def find(stage: Stage, kind: PostKind, number: int, **changes: Any) -> int | None:
    """As after a kill before the answer of Discord was stored."""
    post = await stage.world.darkroom.database.fetch(posts.find, kind, number)
    assert post is not None
    poster = DiscordPoster()
    poster.bot = stage.world.darkroom.gateway.bot
    unknown = replace(post, message_id=None, sending_at=post.created_at, **changes)
    return await poster.find(unknown, post.places[post.place_index])


async def test_what_was_edited_since_it_was_sent_is_found(keyed: Stage) -> None:
    """Mutants: without the id in an edit Discord gives the card another one; without it in a new message, too."""
    ready = await keyed.train(keyed.ben)
    await until(lambda: any("✅ Ready." in text_of(message) for message in keyed.posts()))
    status = await keyed.post_of(PostKind.TRAINING_STATUS, 1)
    assert "✅ Ready." in text_of(status)
    assert await find(keyed, PostKind.TRAINING_STATUS, 1) == status.id
    assert await find(keyed, PostKind.TRAINING_READY, 1) == ready.id
    other = nonce_of("abc123", PostKind.TRAINING_READY, 2)
    assert await find(keyed, PostKind.TRAINING_READY, 1, nonce=other) is None


async def test_what_another_life_sent_is_found_although_its_row_has_another_number(keyed: Stage) -> None:
    """Mutant: the id is made from the number of the row, which a database that was put back gives anew."""
    ready = await keyed.train(keyed.ben)
    assert await find(keyed, PostKind.TRAINING_READY, 1, subject_id=99) == ready.id


async def test_a_panel_is_found_after_each_edit(keyed: Stage) -> None:
    """Mutant: its edits do not go through the door of all others."""
    event = await open_event(keyed)
    panel = await keyed.post_of(PostKind.EVENT_PANEL, event.id)
    assert await find(keyed, PostKind.EVENT_PANEL, event.id) == panel.id
    await keyed.world.darkroom.services.events.cancel(event.id, admin(keyed))
    await keyed.posted("This event was cancelled.")
    assert await find(keyed, PostKind.EVENT_PANEL, event.id) == panel.id
