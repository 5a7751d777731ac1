"""The panel is pinned in its channel while its event is live."""

from bot.ports import Venue
from bot.records.event import Event
from bot.records.guild import PlaceKind
from bot.records.post import Post, PostKind
from bot.storage.database import Database
from bot.storage.jobs import posts

UNPINNED = 0
"""In the place of a message's id: the event is over, and its panel is not pinned any more."""


async def pin_panel(database: Database, venue: Venue, event: Event) -> dict[str, int]:
    """Pin the panel once it stands in a channel; the changed column. May raise NotNow.

    Discord is asked once for each message, whatever it answers: nothing waits for a pin. A panel that was sent anew is
    pinned in the place of the old one.
    """
    panel = await _in_channel(database, event)
    if panel is None or panel.message_id is None or panel.message_id == event.pinned_id:
        return {}
    channel_id = panel.places[panel.place_index].id
    if event.pinned_id:
        await venue.set_pinned(event.guild_id, channel_id, event.pinned_id, is_pinned=False)
    await venue.set_pinned(event.guild_id, channel_id, panel.message_id, is_pinned=True)
    return {"pinned_id": panel.message_id}


async def unpin_panel(database: Database, venue: Venue, event: Event) -> dict[str, int]:
    """Unpin it, also when the bot died before it was noted that it is pinned; the changed column. May raise NotNow."""
    panel = await _in_channel(database, event)
    if panel is None or panel.message_id is None or event.pinned_id == UNPINNED:
        return {}
    channel_id = panel.places[panel.place_index].id
    await venue.set_pinned(event.guild_id, channel_id, panel.message_id, is_pinned=False)
    return {"pinned_id": UNPINNED}


async def _in_channel(database: Database, event: Event) -> Post | None:
    """The panel's post; None until it has a message in a channel."""
    panel = await database.fetch(posts.find, PostKind.EVENT_PANEL, event.id)
    if panel is None or not panel.message_id or panel.places[panel.place_index].kind is not PlaceKind.CHANNEL:
        return None
    return panel
