"""/privacy: what is kept about me, and erasing it; in a private message also for servers that one has left."""

import contextlib
from collections.abc import Callable

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.privacy.service import Holdings
from cogs.privacy.cards import about_part, kept_how_long, policy_card
from cogs.removals.cards import receipts_card
from cogs.ui.layout import card
from cogs.ui.replies import UPLOAD_MAX, Interaction, ask, defer, say, show
from cogs.ui.views import ConfirmView
from cogs.ui.words import count

MESSAGES_GO = (
    " The messages with your pictures in its channels go now, one by one. Where I may not delete them any more they "
    "stay: somebody who manages messages there can help."
)


async def erase_all(interaction: Interaction, *, with_messages: bool = False) -> None:
    """Of whoever pressed: here, or in a private message everywhere."""
    privacy = interaction.client.services.privacy
    waiting = sum(
        [
            await privacy.forget_member(guild_id=guild_id, user_id=interaction.user.id, with_messages=with_messages)
            for guild_id in await guilds_meant(interaction)
        ]
    )
    done = f"Your photos, jobs, LoRAs and pictures in {here_or_everywhere(interaction)} are erased here."
    asked = (
        f" At the providers {count(waiting, 'thing')} of yours {'is' if waiting == 1 else 'are'} still to go: I ask "
        "until they have answered, then send you the receipt. `/privacy receipts` shows how it stands, and what I "
        "cannot ask because a server took its key away."
    )
    await say(interaction, done + (MESSAGES_GO if with_messages else "") + (asked if waiting else ""))


async def erase_with_messages(interaction: Interaction) -> None:
    await erase_all(interaction, with_messages=True)


async def guilds_meant(interaction: Interaction) -> list[int]:
    """This server; in a private message, every server in which something is kept, those left among them."""
    if interaction.guild_id is not None:
        return [interaction.guild_id]
    return await interaction.client.services.privacy.guilds_of(interaction.user.id)


def here_or_everywhere(interaction: Interaction) -> str:
    return "all servers" if interaction.guild_id is None else "this server"


@app_commands.allowed_contexts(guilds=True, dms=True)
class PrivacyCog(commands.GroupCog, group_name="privacy", group_description="What is kept about you, and erasing it"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(name="show", description="What is kept about you here; in a private message: anywhere")
    async def show_holdings(self, interaction: Interaction) -> None:
        await defer(interaction)
        services, user_id = self.bot.services, interaction.user.id
        meant = await guilds_meant(interaction)
        held = [await services.privacy.holdings(guild_id=guild_id, user_id=user_id) for guild_id in meant]

        def total(of: Callable[[Holdings], int]) -> int:
            return sum(map(of, held))

        lines = (
            f"{count(total(lambda h: h.datasets), 'dataset')} with "
            f"{count(total(lambda h: h.photos_on_disk), 'photo')} on our disk",
            f"{count(total(lambda h: h.trainings), 'training')} and {count(total(lambda h: h.loras), 'LoRA')}",
            f"{count(total(lambda h: h.generations), 'order')} of pictures, and "
            f"{count(total(lambda h: h.previews), 'picture')} that LoRAs keep as previews",
            f"{count(total(lambda h: h.consents), 'consent record')}",
            f"{count(total(lambda h: h.events), 'event')} that you took part or voted in",
            f"{count(total(lambda h: h.receipts), 'receipt')} of what the providers were to remove",
            f"{count(total(lambda h: h.hidden), 'line')} of servers' books and logs, without your name since an "
            "erasure",
        )
        where = "here" if interaction.guild_id is not None else f"in {count(len(meant), 'server')}"
        text = f"### Kept about you {where}\n" + "\n".join(f"• {line}" for line in lines)
        view = card(text, colour=discord.Colour.blurple())
        view.add_line()
        view.add_text(kept_how_long(services.timings))
        await show(interaction, view)

    @app_commands.command(description="Erase everything of yours here; in a private message: everywhere")
    async def erase(self, interaction: Interaction) -> None:
        await ask(
            interaction,
            f"This deletes your photos, jobs, LoRAs and pictures in {here_or_everywhere(interaction)}, "
            "and asks the provider to delete your LoRAs. You leave every event, and those you host are cancelled. "
            "What is being trained is removed when it has ended; its credits are spent. Pictures that I posted for you "
            "stay in their channels, unless you let me delete these messages, too. It cannot be undone.",
            ConfirmView(
                "Erase my data here",
                erase_all,
                for_everybody=True,
                others={"Erase it, and my posted pictures": erase_with_messages},
            ),
        )

    @app_commands.command(description="The privacy policy of whoever runs this bot")
    async def policy(self, interaction: Interaction) -> None:
        await defer(interaction)
        view, files = policy_card(self.bot.services.policy)
        await show(interaction, view, files)

    @app_commands.command(description="A ZIP of everything kept about you here; in a private message: everywhere")
    async def export(self, interaction: Interaction) -> None:
        await defer(interaction)
        exports, user_id = self.bot.services.exports, interaction.user.id
        meant = await exports.guilds_of(user_id) if interaction.guild_id is None else [interaction.guild_id]
        names = {guild_id: guild.name if (guild := self.bot.get_guild(guild_id)) else "" for guild_id in meant}
        limit = min(interaction.filesize_limit, UPLOAD_MAX)
        async with contextlib.aclosing(exports.make(user_id, names, limit)) as parts:
            async for part in parts:
                file = discord.File(part.path, filename=part.name)
                await interaction.followup.send(about_part(part), file=file, ephemeral=True)

    @app_commands.command(description="What the providers were asked to remove of yours, and what they answered")
    async def receipts(self, interaction: Interaction) -> None:
        await defer(interaction)
        receipts = await self.bot.services.removals.receipts(interaction.user.id, interaction.guild_id)
        await show(interaction, receipts_card(receipts))


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(PrivacyCog(bot))
