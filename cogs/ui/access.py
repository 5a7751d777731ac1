"""Server settings -> Integrations: whether a member may use a command here. Buttons and forms obey it as well.

Discord itself checks this for commands only; how it decides is on /docs/interactions/application-commands and in its
help centre's page about command permissions.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import discord

from bot.client import DarkroomBot, Press
from bot.errors import NotAllowed, UserError
from cogs.ui.replies import ADMINS_ONLY, Interaction, check_admin

log = logging.getLogger(__name__)

CUSTOMISED_NEVER: Final = 10066
"""Unknown application command permissions (Discord /docs/topics/opcodes-and-status-codes)."""
ASK_S: Final = 2.0
"""Seconds to ask Discord; an interaction has to be answered within 3."""
NOT_HERE = "The admins of this server do not let you use `/{}` here (Server settings, Integrations)."
UNKNOWN = "Discord did not say just now whether you may use this here. Please try again in a moment."

ROLE, USER, CHANNEL = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What the admins chose for one role, member or channel."""

    target_id: int
    kind: int
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts where; `channel_ids` are the channel and, for a thread, its parent."""

    guild_id: int
    user_id: int
    role_ids: frozenset[int]
    channel_ids: frozenset[int]
    has_default: bool
    """Whether they have the permissions that the command asks for by default."""


def may_use(who: Who, of_command: Sequence[Overwrite], of_app: Sequence[Overwrite]) -> bool:
    """What was chosen for the command goes before what was chosen for the whole bot."""
    everywhere = who.guild_id - 1  # Discord's id for all channels of a guild
    for chosen in (of_command, of_app):
        for targets in (who.channel_ids, {everywhere}):
            here = _first(chosen, CHANNEL, targets)
            if here is False:
                return False
            if here is True:
                return _member_may(who, of_command, of_app)
    return _member_may(who, of_command, of_app)


def _member_may(who: Who, of_command: Sequence[Overwrite], of_app: Sequence[Overwrite]) -> bool:
    by_command = _member(who, of_command)
    if by_command is not None:
        return by_command
    return _member(who, of_app) is not False and who.has_default


def _member(who: Who, chosen: Sequence[Overwrite]) -> bool | None:
    """The member's own entry, else that of their roles, of which one that allows is enough, else @everyone's."""
    for kind, targets in ((USER, {who.user_id}), (ROLE, who.role_ids - {who.guild_id}), (ROLE, {who.guild_id})):
        found = _first(chosen, kind, targets)
        if found is not None:
            return found
    return None


def _first(chosen: Sequence[Overwrite], kind: int, targets: Iterable[int]) -> bool | None:
    wanted = set(targets)
    found = [each.is_allowed for each in chosen if each.kind == kind and each.target_id in wanted]
    return any(found) if found else None


class CommandAccess:
    """Reads what the admins chose, once for each server and command until Discord says that it has changed."""

    def __init__(self, bot: DarkroomBot) -> None:
        self._bot = bot
        self._ids: dict[str, int] = {}
        self._asking_ids = asyncio.Lock()
        self._known: dict[tuple[int, int], tuple[Overwrite, ...]] = {}
        self._changes = 0
        """How often something known was forgotten: an answer that was asked for before that may be an old one."""
        self._asking: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By server, so that a slow answer keeps no other server waiting."""

    async def check(self, interaction: Interaction, command: str) -> None:
        """NotAllowed when this member may not use this command here; UserError when Discord does not say."""
        guild = interaction.guild
        if interaction.guild_id is None or interaction.permissions.administrator:
            return
        if guild is not None and guild.owner_id == interaction.user.id:
            return
        try:
            async with asyncio.timeout(ASK_S):
                of_command = await self._chosen(interaction.guild_id, await self._id_of(command))
                of_app = await self._chosen(interaction.guild_id, interaction.application_id)
        except (discord.HTTPException, OSError, TimeoutError) as error:
            log.info("Discord did not give the permissions of /%s: %s", command, type(error).__name__)
            raise UserError(UNKNOWN) from error
        if not may_use(self._who(interaction, command), of_command, of_app):
            raise NotAllowed(NOT_HERE.format(command))

    def forget(self, guild_id: int) -> None:
        """The admins of this server have changed something."""
        self._changes += 1
        for known in [each for each in self._known if each[0] == guild_id]:
            del self._known[known]

    def forget_all(self) -> None:
        """Changes may have been missed."""
        self._changes += 1
        self._known.clear()

    def _who(self, interaction: Interaction, command: str) -> Who:
        user, channel = interaction.user, interaction.channel
        assert interaction.guild_id is not None  # the caller has looked
        parent_id = channel.parent_id if isinstance(channel, discord.Thread) else None
        found = self._bot.tree.get_command(command)
        asked = getattr(found, "default_permissions", None) or discord.Permissions.none()
        return Who(
            interaction.guild_id,
            user.id,
            frozenset(role.id for role in user.roles) if isinstance(user, discord.Member) else frozenset(),
            frozenset(each for each in (interaction.channel_id, parent_id) if each is not None),
            asked <= interaction.permissions,
        )

    async def _id_of(self, command: str) -> int:
        """Asked once, however many act in the first moment."""
        async with self._asking_ids:
            if command not in self._ids:
                self._ids = {each.name: each.id for each in await self._bot.tree.fetch_commands()}
        return self._ids[command]

    async def _chosen(self, guild_id: int, target_id: int) -> tuple[Overwrite, ...]:
        """`target_id` is a command's id, or the application's for what holds for all of its commands."""
        async with self._asking[guild_id]:
            while (guild_id, target_id) not in self._known:
                changes = self._changes
                chosen = await self._ask(guild_id, target_id)
                if changes == self._changes:
                    self._known[guild_id, target_id] = chosen
            return self._known[guild_id, target_id]

    async def _ask(self, guild_id: int, target_id: int) -> tuple[Overwrite, ...]:
        application_id = self._bot.application_id
        assert application_id is not None  # known since the login
        try:
            data = await self._bot.http.get_application_command_permissions(application_id, guild_id, target_id)
        except discord.NotFound as error:
            if error.code != CUSTOMISED_NEVER:
                raise
            return ()
        return tuple(
            Overwrite(int(each["id"]), int(each["type"]), bool(each["permission"])) for each in data["permissions"]
        )


async def check_admin_of(interaction: Interaction, guild_id: int) -> None:
    """NotAllowed unless an admin of this server acts, in it or in a private message; UserError if Discord is silent."""
    if interaction.guild_id == guild_id:
        check_admin(interaction)
        return
    guild = interaction.client.get_guild(guild_id)
    if guild is None or interaction.guild_id is not None:
        raise NotAllowed(ADMINS_ONLY)
    try:
        async with asyncio.timeout(ASK_S):
            member = await guild.fetch_member(interaction.user.id)
    except discord.NotFound:
        raise NotAllowed(ADMINS_ONLY) from None
    except (discord.HTTPException, OSError, TimeoutError) as error:
        raise UserError(UNKNOWN) from error
    if guild.owner_id != member.id and not member.guild_permissions.manage_guild:
        raise NotAllowed(ADMINS_ONLY)


def obeying(command: str, **presses: Press) -> dict[str, Press]:
    """Presses that stand for a command: whoever may not use that here may not press them."""
    return {action: _obeying(command, press) for action, press in presses.items()}


def _obeying(command: str, press: Press) -> Callable[[Interaction, int], Awaitable[None]]:
    async def checked(interaction: Interaction, row_id: int) -> None:
        await interaction.client.check_command(interaction, command)
        await press(interaction, row_id)

    return checked
