"""The discord.py bot."""

import asyncio
import hashlib
import json
import logging
import math
import re
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.command_mentions import learn
from bot.errors import StartupError, StorageTrouble, UserError
from bot.network.request_rate import paced
from bot.services import Services
from bot.storage import meta

if TYPE_CHECKING:
    from discord.types.gateway import InteractionCreateEvent

log = logging.getLogger(__name__)

ShowError = Callable[[discord.Interaction["DarkroomBot"], Exception], Awaitable[None]]
Press = Callable[[discord.Interaction["DarkroomBot"], int], Awaitable[None]]
"""Takes the press of a button and the number of the row that the button is about; checks who pressed it."""

CheckCommand = Callable[[discord.Interaction["DarkroomBot"], str], Awaitable[None]]
Admit = Callable[[discord.Interaction["DarkroomBot"]], Awaitable[None]]

FLEETING_ID = re.compile(r"dr-[0-9a-f]{20}")
NOT_A_MEMBER = (10004, 50001)
"""Unknown guild, missing access (Discord /docs/topics/opcodes-and-status-codes)."""
ASKED_AGAIN_S = 10.0
OTHER_KEY = (
    "DARKROOM_PUBLIC_KEY is not the public key of this bot's application. Copy it again from the developer portal, "
    "under General Information."
)
FORGOTTEN = "This form or button was used already or is too old. Please open it again from its message or command."


def fleeting_id() -> str:
    """A new custom id for a form or a button that works only as long as the bot has it in memory."""
    return f"dr-{secrets.token_hex(10)}"


async def _allow(_interaction: discord.Interaction["DarkroomBot"], _command: str) -> None:
    """Until the extension that asks Discord is loaded."""


async def _admit(_interaction: discord.Interaction["DarkroomBot"]) -> None:
    """Until the extension that looks at who acts is loaded."""


class DarkroomTree(app_commands.CommandTree["DarkroomBot"]):
    async def interaction_check(self, interaction: discord.Interaction["DarkroomBot"], /) -> bool:
        try:
            await interaction.client.admit(interaction)
        except UserError as error:
            if interaction.type is discord.InteractionType.autocomplete:
                await interaction.response.autocomplete([])
            else:
                await interaction.client.show_error(interaction, error)
            return False
        return True

    async def on_error(
        self, interaction: discord.Interaction["DarkroomBot"], error: app_commands.AppCommandError, /
    ) -> None:
        await interaction.client.show_error(interaction, error)


class DarkroomBot(commands.Bot):
    """The bot. `services` are for the cogs; `extensions` are names of modules that are loaded at login.

    `show_error` gets every error of a command, a button or a modal and answers the member. `button` is the class of the
    buttons that outlive restarts. With `public_key`, the hexadecimal key of the application, interactions may come over
    HTTP, and login raises StartupError when Discord knows another one.
    """

    def __init__(
        self,
        services: Services,
        extensions: Sequence[str],
        show_error: ShowError,
        button: type[discord.ui.DynamicItem[Any]],
        *,
        proxy: str | None = None,
        public_key: str | None = None,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=discord.Intents(guilds=True),
            tree_cls=DarkroomTree,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            max_ratelimit_timeout=60.0,
            http_trace=paced(),
            proxy=proxy,
        )
        self.services = services
        self._extension_names = tuple(extensions)
        self.show_error = show_error
        self._button = button
        self._public_key = public_key
        self.is_set_up = False
        """Whether it is logged in and knows all commands, with or without a connection to the gateway."""
        self.buttons: dict[str, Mapping[str, Press]] = {}
        """What the buttons of each area do, by action."""
        self.check_command: CheckCommand = _allow
        """Raises NotAllowed when a member may not use a command where they act."""
        self.admit: Admit = _admit
        """Every command, press, choice and form passes here first; raises NotAllowed for who may use nothing."""
        self._unheard: set[int] = set()
        """Ids of interactions with a form or button that the library did not know when they arrived."""
        self.is_reached = False
        """Whether Discord has answered since the connection was last lost."""

    async def setup_hook(self) -> None:
        if self._public_key is not None:
            self._check_public_key(self._public_key)
        self.add_dynamic_items(self._button)
        for name in self._extension_names:
            await self.load_extension(name)
        await self._sync_if_changed()
        self.is_set_up = True

    def _check_public_key(self, key: str) -> None:
        """What Discord has told of the application at login; with a wrong key strangers could act for members."""
        if self.application is None or self.application.verify_key.lower() != key.lower():
            raise StartupError(OTHER_KEY)
        address = self.application.interactions_endpoint_url
        if address is None:
            log.info("Discord sends interactions over the gateway: the application has no Interactions Endpoint URL")
        else:
            log.info("Discord sends interactions to %s; discord.py's warning of that can be ignored", address)

    def take(self, interaction: Mapping[str, Any]) -> None:
        """Work on an interaction that came over HTTP, as on one of the gateway. discord.py has no public way to."""
        self._connection.parse_interaction_create(cast("InteractionCreateEvent", interaction))

    def add_buttons(self, area: str, /, **presses: Press) -> None:
        """The table of an area, by action. ValueError when the area has one already."""
        if area in self.buttons:
            raise ValueError(f"The buttons of the area {area} are in two tables.")
        self.buttons[area] = presses

    def remove_buttons(self, *areas: str) -> None:
        for area in areas:
            self.buttons.pop(area, None)

    def is_connected(self) -> bool:
        """Whether the gateway answers. `is_ready` stays True while disconnected, so the heartbeat decides."""
        return self.is_ready() and not self.is_closed() and math.isfinite(self.latency)

    def remember(self, shown: discord.ui.View | discord.ui.LayoutView | discord.ui.Modal) -> None:
        """Listen to a view or modal that Discord shows although sending it seemed to fail.

        discord.py does this by itself after a successful answer and has no public method for it.
        """
        self._connection.store_view(shown)

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Note interactions with unknown forms and buttons, then dispatch as usual.

        The library looks for the form or button in the same turn of the event loop, so the check belongs here. Later it
        may have learned of a message that Discord showed before confirming it, and the member would get no answer.
        A closed bot hears nothing: discord.py still tells of its end, and has given its loop away by then.
        """
        if self.is_closed():
            return
        if event_name == "interaction" and self._is_forgotten(str((args[0].data or {}).get("custom_id", ""))):
            self._unheard.add(args[0].id)
        super().dispatch(event_name, *args, **kwargs)

    async def on_interaction(self, interaction: discord.Interaction["DarkroomBot"]) -> None:
        """Answer presses and forms whose fleeting id the bot does not know; discord.py handles all others."""
        if interaction.id in self._unheard:
            self._unheard.discard(interaction.id)
            await self.show_error(interaction, UserError(FORGOTTEN))

    def _is_forgotten(self, custom_id: str) -> bool:
        return FLEETING_ID.fullmatch(custom_id) is not None and not self._is_listening_to(custom_id)

    def _is_listening_to(self, custom_id: str) -> bool:
        """Whether the library knows this form or button; it has no public way to ask."""
        store = self._connection._view_store  # noqa: SLF001
        known = (known_id for items in store._views.values() for _, known_id in items)  # noqa: SLF001
        return custom_id in store._modals or custom_id in known  # noqa: SLF001

    async def on_error(self, event_method: str, /, *args: object, **kwargs: object) -> None:
        """What the disk, or the end of the process, does not let an event store is no fault of the program."""
        error = sys.exc_info()[1]
        if isinstance(error, StorageTrouble):
            log.warning("%s was not finished: %s", event_method, error)
            return
        await super().on_error(event_method, *args, **kwargs)

    async def on_ready(self) -> None:
        """Leave guilds that removed the bot while it was offline: Discord only leaves them out of its list."""
        await self.on_resumed()
        guilds, present = self.services.guilds, {guild.id for guild in self.guilds}
        gone = [each for each in await guilds.missing(present) if await self._is_gone_from(each)]
        if gone:
            await asyncio.sleep(ASKED_AGAIN_S)
        for guild_id in gone:
            if await self._is_gone_from(guild_id):
                await guilds.leave(guild_id)
        await guilds.note_joined(present)

    async def on_resumed(self) -> None:
        self.is_reached = True
        self.services.outbox.wake()

    async def on_disconnect(self) -> None:
        self.is_reached = False

    async def _is_gone_from(self, guild_id: int) -> bool:
        """Ask Discord whether the bot is out of this guild.

        The list of guilds may be incomplete, and keys and photos are erased when the answer is yes, twice.
        """
        try:
            await self.fetch_guild(guild_id, with_counts=False)
        except discord.HTTPException as error:
            return error.code in NOT_A_MEMBER
        except OSError:
            return False
        return False

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.services.guilds.leave(guild.id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.services.guilds.note_joined({guild.id})
        await self.services.guilds.come_back(guild.id)

    async def _sync_if_changed(self) -> None:
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        commands_text = json.dumps(payload, sort_keys=True, default=str)
        digest = hashlib.sha256(f"{self.application_id}:{commands_text}".encode()).digest()
        database = self.services.database
        async with database.read() as connection:
            known = await meta.get(connection, meta.COMMAND_TREE)
            stored = await meta.get(connection, meta.COMMAND_IDS)
        if known == digest and stored is not None:
            self._learn_ids(json.loads(stored))
            return
        ids = {each.name: each.id for each in await self.tree.sync()}

        async def transaction(connection: AsyncConnection) -> None:
            await meta.put(connection, meta.COMMAND_TREE, digest)
            await meta.put(connection, meta.COMMAND_IDS, json.dumps(ids).encode())

        await database.write(transaction)
        self._learn_ids(ids)
        log.info("Commands have changed and were sent to Discord")

    def _learn_ids(self, ids: Mapping[str, int]) -> None:
        """`ids`: by the first word of each command. A subcommand is mentioned by its whole name and its group's id."""
        names = [each.qualified_name for each in self.tree.walk_commands() if isinstance(each, app_commands.Command)]
        learn({name: ids[name.partition(" ")[0]] for name in names if name.partition(" ")[0] in ids})
