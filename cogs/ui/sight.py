"""What of other channels somebody may be shown where they act, as Discord's permissions say."""

from dataclasses import dataclass
from typing import Any

import discord

from bot.records.guild import EVERYTHING, Sight

Channel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel
Place = Channel | discord.CategoryChannel | discord.Thread


@dataclass(frozen=True, slots=True)
class GuildSight:
    """Implements bot.records.guild.Sight for a member who acts `here`.

    A channel or thread that Discord has not told of counts as one that nobody else can see.
    """

    guild: discord.Guild
    member: discord.Member
    here: Place

    def sees(self, channel_id: int) -> bool:
        place = self._find(channel_id)
        if place is self.here:
            return True
        if place is None or (place.is_nsfw() and not self.here.is_nsfw()):
            return False
        return can_see(self.member, place)

    def may_repost(self, channel_id: int, target_id: int) -> bool:
        if channel_id == target_id:
            return True
        place, target = self._find(channel_id), self._find(target_id)
        return place is not None and target is not None and is_for_everybody(place, target)

    def _find(self, channel_id: int) -> Place | None:
        return self.here if channel_id == self.here.id else self.guild.get_channel_or_thread(channel_id)


def can_see(member: discord.Member, place: Place) -> bool:
    """Whether they can read it; of a private thread only who manages threads is known to."""
    allowed = place.permissions_for(member)
    return allowed.view_channel and (not _is_private_thread(place) or allowed.manage_threads)


def is_for_everybody(place: Place, target: Place) -> bool:
    """Whether everybody who reads the target may see what was made in this place."""
    if place.is_nsfw() and not target.is_nsfw():
        return False
    return not _is_private_thread(place) and place.permissions_for(place.guild.default_role).view_channel


def sight_of(interaction: discord.Interaction[Any]) -> Sight:
    """Outside a server nothing of others is shown."""
    guild, member, here = interaction.guild, interaction.user, interaction.channel
    if guild is None or here is None or isinstance(here, discord.abc.PrivateChannel):
        return EVERYTHING
    return GuildSight(guild, member, here) if isinstance(member, discord.Member) else EVERYTHING


def _is_private_thread(place: Place) -> bool:
    return isinstance(place, discord.Thread) and place.is_private()
