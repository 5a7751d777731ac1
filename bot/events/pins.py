"""The panel is pinned in its channel while its event is live."""

from bot.ports import Venue
from bot.records.event import Event
from bot.records.guild import PlaceKind
from bot.records.post import Post, PostKind
from bot.storage.database import Database
from bot.storage.jobs import posts

UNPINNED = 0
"""In the place of a message's id: the panel is not pinned any more, or was posted by a version that pinned nothing."""


async def pin_panel(database: Database, venue: Venue, event: Event) -> dict[str, int]:
    """Pin the panel once it stands in a channel; the changed column. May raise NotNow.

    Discord is asked once for each message, whatever it answers: nothing waits for a pin. Of a message that it did not
    pin the id is noted with a minus. A panel that was sent anew is pinned in the place of the old one.
    """
    panel, noted = await _in_channel(database, event), event.pinned_id
    if panel is None or panel.message_id is None or noted == UNPINNED or abs(noted or 0) == panel.message_id:
        return {}
    channel_id = panel.places[panel.place_index].id
    if noted is not None and noted > 0:
        await venue.set_pinned(event.guild_id, channel_id, noted, is_pinned=False)
    is_pinned = await venue.set_pinned(event.guild_id, channel_id, panel.message_id, is_pinned=True)
    return {"pinned_id": panel.message_id if is_pinned else -panel.message_id}


async def unpin_panel(database: Database, venue: Venue, event: Event) -> dict[str, int]:
    """Unpin what the bot has pinned, also when it died before that was noted; the changed column. May raise NotNow.

    A pin that somebody set by hand, where the bot could not, stays.
    """
    panel, noted = await _in_channel(database, event), event.pinned_id
    if panel is None or panel.message_id is None or (noted is not None and noted <= UNPINNED):
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
