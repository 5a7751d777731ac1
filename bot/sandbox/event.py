"""The event that waits in the sandbox: everybody's photos of one little fox, opened by the admin."""

from bot.events.planning.drafts import EventDraft
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode, EventStatus
from bot.records.guild import Actor, Channel
from bot.sandbox.world import World

PACK = ("{trigger} on a boat at sunset", "{trigger} in a snowy forest", "a poster of {trigger} on the moon")
HOURS = {EventStatus.COLLECTING: 12, EventStatus.REVIEWING: 1, EventStatus.SHOWING: 12, EventStatus.VOTING: 12}
"""Each lasts a minute in the sandbox (Timings.event_hour), and the host may close each stage early."""


async def open_sample_event(world: World) -> Event:
    """Ada's event, with a role that is mentioned about it; Ben and Cleo give photos to it.

    It stays in the channel, the page shows no threads.
    """
    news = world.guild.create_role("Event news", mentionable=True)
    await world.darkroom.services.guilds.choose_news(world.guild.id, news.id)
    host = Actor(world.guild.id, world.admin.id, is_admin=True)
    events = world.darkroom.services.events
    draft = EventDraft(
        name="Fox days",
        theme="Our little fox in as many places as we can find. One LoRA comes out for everybody.",
        rules="Photos of the fox only. Be kind to each other's pictures.",
        mode=EventMode.SHARED,
        subject_kind=SubjectKind.OBJECT,
    )
    event = await events.create(draft, host, Channel(world.channel.id))
    await events.change(
        event.id,
        host,
        hours=HOURS,
        pack=PACK,
        photo_cap=20,
        pictures_each=4,
        entrants_min=1,
        budget=400,
        wants_thread=False,
        wants_calendar=False,
    )
    return await events.open(event.id, host)
