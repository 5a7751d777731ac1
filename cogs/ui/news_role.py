"""The role for event news: whether the bot may mention it, and taking it or giving it back with one press."""

from collections.abc import Collection

import discord

from bot.errors import UserError
from bot.guilds import GuildService
from bot.records.guild import Guild
from cogs.ui.replies import Interaction, guild_of

TELL_ME = "Tell me about events"
LEAVE_ME = "No event news"
JOINED = (
    "Done. You have {role} now, and I mention it when an event opens, before its parts end, and when its vote or a "
    "run-off opens."
)
LEFT = "Done. You do not have {role} any more, so I do not ping you about events."
NONE_CHOSEN = "This server has no role for event news. An admin can choose one with `/settings`."
GONE = "The role for event news has been deleted. An admin can choose another one with `/settings`."
NOT_MINE = "I may not give or take {role} here. Please ask an admin for it."
NOT_FOR_ALL = (
    "I do not hand out {role}: it allows more than everybody may do here, or is a prize. Please ask an admin for it."
)

FOR_ADMINS = {
    GONE: "It has been deleted, so nobody is pinged. Please choose another one.",
    NOT_MINE: "I cannot give it to members: allow me **Manage Roles** in this server, and move my own role above it.",
    NOT_FOR_ALL: "I do not give it to members, because it allows more than everybody may do, or is a prize of an "
    "event; whoever took it before has it still. Please choose a role for this alone, without permissions.",
}
TAKEN_FREELY = (
    "⚠️ Members could take {role} for event news until now, so anybody may have it. Please think of another role here."
)
SILENT = "I may not mention it, so I post without a ping: let everybody mention it, or allow me **Mention Everyone**."


def mentionable(guild: discord.Guild, role_id: int | None, channel_id: int) -> discord.Role | None:
    """The role, if the bot may mention it in this channel or thread."""
    role, channel = guild.get_role(role_id or 0), guild.get_channel_or_thread(channel_id)
    if role is None or channel is None or role.is_default():
        return None
    return role if role.mentionable or channel.permissions_for(guild.me).mention_everyone else None


async def told_to_admins(guilds: GuildService, guild: discord.Guild, chosen: Guild) -> list[str]:
    """What keeps the chosen role from doing its work, a sentence each."""
    role = guild.get_role(chosen.news_role_id or 0)
    if role is None:
        return [FOR_ADMINS[GONE]]
    why = _refusal(role, await guilds.roles_with_rights(guild.id))
    is_silent = not role.mentionable and not guild.me.guild_permissions.mention_everyone
    return [*([SILENT] if is_silent else []), *([FOR_ADMINS[why]] if why is not None else [])]


def warning(role_id: int | None, news_role_id: int | None) -> list[str]:
    """What is said where a right is given to the role that members take by themselves; nothing for another role."""
    is_free = role_id is not None and role_id == news_role_id
    return [TAKEN_FREELY.format(role=f"<@&{role_id}>")] if is_free else []


async def chosen_role(interaction: Interaction) -> discord.Role | None:
    """The role for event news of the server in which this was pressed; None without one, or when it was deleted."""
    chosen = await interaction.client.services.guilds.get(guild_of(interaction))
    if chosen is None or chosen.news_role_id is None or interaction.guild is None:
        return None
    return interaction.guild.get_role(chosen.news_role_id)


def has_role_now(interaction: Interaction, role: discord.Role) -> bool:
    """Whether whoever pressed had the role then."""
    return isinstance(interaction.user, discord.Member) and role in interaction.user.roles


async def switch_news(interaction: Interaction) -> str:
    """Give the role to the member who pressed, or take it back; what they are told. UserError when that cannot be."""
    chosen = await interaction.client.services.guilds.get(guild_of(interaction))
    if chosen is None or chosen.news_role_id is None:
        raise UserError(NONE_CHOSEN)
    role, member = await chosen_role(interaction), interaction.user
    if role is None or not isinstance(member, discord.Member):
        raise UserError(GONE)
    has_it = has_role_now(interaction, role)
    why = _refusal(role, await interaction.client.services.guilds.roles_with_rights(role.guild.id))
    if why is not None and not (has_it and why == NOT_FOR_ALL):
        raise UserError(why.format(role=role.mention))
    try:
        await (member.remove_roles if has_it else member.add_roles)(role, reason=TELL_ME)
    except discord.Forbidden as error:
        raise UserError(NOT_MINE.format(role=role.mention)) from error
    except discord.NotFound as error:
        raise UserError(GONE) from error
    return (LEFT if has_it else JOINED).format(role=role.mention)


def _refusal(role: discord.Role, with_rights: Collection[int]) -> str | None:
    """Why the bot does not give this role to whoever wants it."""
    if not role.guild.me.guild_permissions.manage_roles or not role.is_assignable():
        return NOT_MINE
    return NOT_FOR_ALL if role.id in with_rights or _allows_more(role) else None


def _allows_more(role: discord.Role) -> bool:
    """Than everybody may do, in the server or in one of its channels."""
    everybody = role.guild.default_role.permissions
    more = role.permissions.value & ~everybody.value
    return bool(more) or any(channel.overwrites_for(role).pair()[0].value for channel in role.guild.channels)
