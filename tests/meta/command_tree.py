"""The commands as Discord gets them: the payload of each, and everything in it that can be run."""

from collections.abc import Iterator
from typing import Any, cast

from bot.client import DarkroomBot
from bot.services import Services
from cogs import EXTENSIONS
from cogs.ui.buttons import ActionButton
from cogs.ui.replies import show_error

Payload = dict[str, Any]
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
CHAT, MESSAGE_MENU = 1, 3


async def command_tree() -> list[Payload]:
    """What would be sent to Discord."""
    bot = DarkroomBot(cast("Services", None), EXTENSIONS, show_error, ActionButton)
    async with bot:
        for name in EXTENSIONS:
            await bot.load_extension(name)
        return [command.to_dict(bot.tree) for command in bot.tree.get_commands()]


def leaves(node: Payload, path: str = "") -> Iterator[tuple[str, Payload]]:
    """(full name, command) of everything that can be run."""
    name = f"{path} {node['name']}".strip()
    nested = [option for option in node.get("options", []) if option["type"] in {SUBCOMMAND, SUBCOMMAND_GROUP}]
    if not nested:
        yield name, node
    for option in nested:
        yield from leaves(option, name)
