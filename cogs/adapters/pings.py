"""Whom a post mentions, and nobody else: its member; of an event the role for its news, or who has won."""

import re
from dataclasses import dataclass
from itertools import chain

import discord

from bot.client import DarkroomBot
from bot.events.ballot.runoff import in_runoff
from bot.events.lifecycle import can_vote, is_in_first_stage
from bot.events.views import EventView
from bot.outbox import DELIVERIES
from bot.records.event import Announcement, AnnouncementKind, EventMode
from bot.records.guild import Place, PlaceKind
from bot.records.post import Post, PostKind
from bot.services import Services
from bot.text import quote
from cogs.events.people import people_of
from cogs.events.reminders import is_too_late
from cogs.ui.layout import Text
from cogs.ui.news_role import TELL_ME, mentionable
from cogs.ui.words import TEXT_MAX

OFFERS = frozenset(
    {PostKind.LORA_OFFER, PostKind.LORA_OFFER_ANSWERED, PostKind.LORA_IMPORTED, PostKind.PHOTO_REQUEST_ANSWERED}
)
WITH_NAMES = frozenset({PostKind.EVENT_PANEL, PostKind.EVENT_BALLOT, PostKind.EVENT_ANNOUNCEMENT})
MENTION = re.compile(r"<@!?(\d{1,20})>")
SOMEBODY = "a member"
NAME_MAX = 32


@dataclass(frozen=True, slots=True)
class Pings:
    role: discord.Role | None = None
    user_ids: tuple[int, ...] = ()


async def pings_of(bot: DarkroomBot, post: Post, place: Place) -> Pings:
    """For a new message in this place. A private message pings its reader anyway."""
    announcement = None
    if post.kind is PostKind.EVENT_ANNOUNCEMENT:
        announcement = await bot.services.events.announcement(post.subject_id)
    if place.kind is not PlaceKind.CHANNEL or (announcement is None and post.kind is not PostKind.EVENT_BALLOT):
        return Pings()
    view = await bot.services.events.view(post.subject_id if announcement is None else announcement.event_id)
    if view is None:
        return Pings()
    if announcement is not None and announcement.what is AnnouncementKind.WINNER:
        return Pings(user_ids=await _winners(bot.services, view))
    return Pings(await _role(bot, post, place) if is_news(view, announcement) else None)


def is_news(view: EventView, announcement: Announcement | None) -> bool:
    """Whether it is for the role, and members can still do what it says; None is the ballot."""
    event = view.event
    is_open = can_vote(event) and not view.is_closing
    if announcement is None:
        return is_open and not in_runoff(event)
    match announcement.what:
        case AnnouncementKind.OPENED:
            return is_in_first_stage(event)
        case AnnouncementKind.CLOSING_SOON:
            return not is_too_late(view, announcement)
        case AnnouncementKind.RUN_OFF:
            return is_open and in_runoff(event)
    return False


async def _role(bot: DarkroomBot, post: Post, place: Place) -> discord.Role | None:
    guild, chosen = bot.get_guild(post.guild_id), await bot.services.guilds.get(post.guild_id)
    return None if guild is None or chosen is None else mentionable(guild, chosen.news_role_id, place.id)


async def _winners(services: Services, view: EventView) -> tuple[int, ...]:
    """Who shares the first place and wants pings. In a bake-off settings win, not members."""
    if view.event.mode is EventMode.BAKEOFF:
        return ()
    first = {each.user_id for each in view.winners if each.place == 1 and each.user_id > 0}
    return tuple(sorted(first - await services.preferences.quiet_among(view.event.guild_id, first)))


def add_mention(card: discord.ui.LayoutView, pings: Pings) -> None:
    """The role below the card; winners stand in it already."""
    if pings.role is not None:
        card.add_item(Text(f"-# {pings.role.mention} · **{TELL_ME}** under `/me` gives or takes this role."))


def allowed_mentions(post: Post, pings: Pings, *, is_quiet: bool) -> discord.AllowedMentions:
    """An outcome tells its member unless they want no pings, an offer does always; a status message tells nobody."""
    tells = OFFERS if is_quiet else DELIVERIES | OFFERS
    told = [post.user_id] if post.kind in tells else pings.user_ids
    return discord.AllowedMentions(
        everyone=False,
        roles=False if pings.role is None else [pings.role],
        replied_user=False,
        users=[discord.Object(each) for each in told],
    )


async def name_the_quiet(bot: DarkroomBot, post: Post, card: discord.ui.LayoutView) -> None:
    """Who wants no pings stands in the card by their name in place of a mention."""
    if post.kind not in WITH_NAMES:
        return
    texts = [item for item in card.walk_children() if isinstance(item, discord.ui.TextDisplay)]
    mentioned = {int(each) for each in chain.from_iterable(MENTION.findall(text.content) for text in texts)}
    quiet = await bot.services.preferences.quiet_among(post.guild_id, mentioned)
    if not quiet:
        return
    people = await people_of(bot, bot.get_guild(post.guild_id), quiet)
    names = {each.id: quote(each.display_name, NAME_MAX) for each in people}
    if sum(len(_named(text.content, quiet, names)) for text in texts) > TEXT_MAX:
        names = {}
    for text in texts:
        text.content = _named(text.content, quiet, names)


def _named(text: str, quiet: frozenset[int], names: dict[int, str]) -> str:
    def name(found: re.Match[str]) -> str:
        user_id = int(found[1])
        return names.get(user_id, SOMEBODY) if user_id in quiet else found[0]

    return MENTION.sub(name, text)
