"""A tiny real discord.py client with one command for each thing the stand-in has to get right."""

import asyncio
import io
import re
import sys
from typing import Any, Self

import discord
from discord import app_commands, ui

from tests.wire.discord.redirect import point_discord_at

PROBE_INTENTS = discord.Intents(guilds=True)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""One red pixel."""


class Row(ui.DynamicItem[ui.Button[Any]], template=r"row:(?P<number>\d+)"):
    """A button that works without any stored view: its custom id carries the row."""

    def __init__(self, number: int) -> None:
        super().__init__(ui.Button(label=f"Open {number}", custom_id=f"row:{number}"))
        self.number = number

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["number"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"row {self.number} opened", ephemeral=True)


class Form(ui.Modal, title="Photos"):
    name: ui.Label[Any] = ui.Label(text="Name", component=ui.TextInput(max_length=20))
    first: ui.Label[Any] = ui.Label(text="Photos", component=ui.FileUpload(max_values=10))
    more: ui.Label[Any] = ui.Label(text="More photos", component=ui.FileUpload(max_values=10, required=False))
    consent: ui.Label[Any] = ui.Label(text="Consent", component=ui.Checkbox())

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        uploads = [*self.first.component.values, *self.more.component.values]  # type: ignore[attr-defined]
        sizes = [len(await upload.read()) for upload in uploads]
        said = f"{self.name.component.value}: {sizes}, {self.consent.component.value}"  # type: ignore[attr-defined]
        await interaction.edit_original_response(content=said)


class Choice(ui.View):
    @ui.select(
        placeholder="Colour",
        options=[discord.SelectOption(label="Red", value="r"), discord.SelectOption(label="Blue", value="b")],
    )
    async def pick(self, interaction: discord.Interaction, select: ui.Select[Any]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content=f"chose {select.values[0]}", view=None)


def board(file_names: list[str]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    gallery: ui.MediaGallery[Any] = ui.MediaGallery(
        *[discord.MediaGalleryItem(f"attachment://{name}", description="a picture") for name in file_names]
    )
    row: ui.ActionRow[Any] = ui.ActionRow(Row(7))
    view.add_item(ui.Container(ui.TextDisplay("The board"), gallery, row))
    return view


def picture(name: str, content: bytes = PNG) -> discord.File:
    return discord.File(io.BytesIO(content), filename=name)


class Probe(discord.Client):
    """`held` lets /slow answer; `errors` collects what the commands raised, `resumes` counts RESUMED events."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            intents=PROBE_INTENTS, max_messages=None, guild_ready_timeout=0.05, max_ratelimit_timeout=30.0, **options
        )
        self.tree = app_commands.CommandTree(self)
        self.held = asyncio.Event()
        self.errors: list[BaseException] = []
        self.failed = asyncio.Event()
        self.resumes = 0
        self.is_up = asyncio.Event()
        self.add_dynamic_items(Row)
        add_commands(self)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Without the library's five seconds before every identify after the first."""

    async def setup_hook(self) -> None:
        await self.tree.sync()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Nothing after `close`, as the bot does it."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def on_ready(self) -> None:
        self.is_up.set()

    async def on_resumed(self) -> None:
        self.resumes += 1


def add_commands(probe: Probe) -> None:
    tree = probe.tree

    @tree.command(description="defer, edit, follow up")
    async def answer(interaction: discord.Interaction, text: str, photo: discord.Attachment) -> None:
        await interaction.response.defer()
        content = await photo.read()
        await interaction.edit_original_response(content=text, attachments=[picture("copy.png", content)])
        await interaction.followup.send("only you see this", file=picture("extra.png"), ephemeral=True)

    @tree.command(description="open a modal")
    async def form(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    @tree.command(name="board", description="post a layout with pictures")
    async def show_board(interaction: discord.Interaction) -> None:
        files = [picture("one.png"), picture("two.png")]
        await interaction.response.send_message(view=board([file.filename for file in files]), files=files)

    @tree.command(description="answer when let go")
    async def slow(interaction: discord.Interaction) -> None:
        await probe.held.wait()
        await interaction.response.send_message("at last")

    @tree.command(description="offer a choice")
    async def choose(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("which?", view=Choice(), ephemeral=True)

    @tree.command(description="two messages")
    async def twice(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("first")
        await interaction.followup.send("second")

    @tree.command(description="paint")
    async def paint(interaction: discord.Interaction, colour: str) -> None:
        await interaction.response.send_message(f"painted {colour}")

    @paint.autocomplete("colour")
    async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        names = [name for name in ("red", "rust", "blue") if name.startswith(current)]
        return [app_commands.Choice(name=name, value=name) for name in names]

    @tree.context_menu(name="Count photos")
    async def count(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{len(message.attachments)} photos", ephemeral=True)

    tree.add_command(hosts_group())

    @tree.error
    async def remember(interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        probe.errors.append(getattr(error, "original", error))
        probe.failed.set()


def hosts_group() -> app_commands.Group:
    group = app_commands.Group(
        name="hosts", description="for hosts", default_permissions=discord.Permissions(manage_guild=True)
    )

    @group.command(name="greet", description="greet a member")
    async def greet(interaction: discord.Interaction, who: discord.Member, times: int = 1) -> None:
        await interaction.response.send_message(f"{who.name} x{times}")

    return group


if __name__ == "__main__":
    api_url, gateway_url, bot_token = sys.argv[1:]
    point_discord_at(api_url, gateway_url)
    Probe().run(bot_token)
