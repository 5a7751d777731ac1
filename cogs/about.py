"""/help and /about: what there is, what this server has set, and what to do next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import discord
from discord import app_commands
from discord.ext import commands

from bot import __version__
from bot.client import DarkroomBot
from bot.errors import UserError
from bot.events.lifecycle import may_run
from bot.records.dataset import Dataset
from bot.records.event import Event, EventStatus, channels_of
from bot.records.guild import Actor, Guild
from bot.records.key import ApiKeyRow, ProviderName
from bot.services import Services
from bot.text import quote
from bot.training.service import TrainingView
from cogs.ui.layout import card
from cogs.ui.replies import Interaction, actor_of, defer, show
from cogs.ui.words import count

ABOUT = (
    f"### Darkroom {__version__}\n"
    "Trains a LoRA from your photos and makes pictures with it, right here.\n"
    "1. An admin stores the server's API key with `/keys set`.\n"
    "2. You send 15 to 30 photos with `/train` and press **Start training**.\n"
    "3. When it is ready you are told here. `/imagine` makes pictures; `/jobs` shows where everything is.\n"
    "Once you see *Accepted #…*, the job survives restarts, is paid at most once, and its result is posted once.\n"
    "`/privacy show` says what is kept and for how long. Every picture is marked as AI-generated. `/help` lists all."
)
MEMBERS = (
    "### What you can do\n"
    "**Train a LoRA:** `/train`, then `/dataset add`, `/dataset show` or `/dataset discard` until it is started\n"
    "**Make pictures:** `/imagine`, `/styles`, and the buttons below each picture\n"
    "**From a message:** press it long or right-click it, choose **Apps**, then **Add photos to my dataset** or "
    "**Imagine from this picture**\n"
    "**Your LoRAs:** `/loras list`, `/loras show`, `/loras share`, `/loras transfer`, `/loras rename`, `/loras note`, "
    "`/loras archive`\n"
    "**Yours:** `/jobs` (where everything is), `/budget show`, `/me`\n"
    "**Events:** the buttons of an event's panel, `/event status`, `/event yearbook`, `/event fame`\n"
    "**Privacy:** `/privacy show`, `/privacy policy`, `/privacy receipts`, `/privacy export`, `/privacy erase`\n"
    "**How it works:** `/about`"
)
HOSTS = (
    "### For hosts\n`/event create` or `/event bakeoff` begins one; `/event status` has all that its host can do: "
    "`/event open`, `/event close`, `/event extend`, `/event remove`, `/event cancel`"
)
MODERATORS = (
    "### For moderators\n`/moderation words`, `/moderation block`, `/moderation unblock`, `/moderation log`, and "
    "**Delete** below every picture"
)
ADMINS = (
    "### For admins\n"
    "**Keys:** `/keys set`, `/keys status`, `/keys test`, `/keys default`, `/keys remove`\n"
    "**Money:** `/budget set`, `/budget show`, `/budget clear`, `/budget export`\n"
    "**Server:** `/settings`, `/loras import`"
)
STAGE_STEPS: Mapping[EventStatus, str] = {
    EventStatus.COLLECTING: "takes photos: press **Give photos** on its panel",
    EventStatus.REVIEWING: "is choosing its photos",
    EventStatus.TRAINING: "is training",
    EventStatus.SHOWING: "waits for your picture: press **Make a picture** on its panel",
    EventStatus.VOTING: "is being voted on: press **Look closely and vote**",
}
STEPS_MAX = 5


@dataclass(frozen=True, slots=True)
class Setup:
    """What a server has set, and what somebody has there. `events`: live ones that they can see."""

    keys: Mapping[ProviderName, ApiKeyRow]
    guild: Guild | None
    has_limits: bool
    lora_count: int
    dataset: Dataset | None
    running: Sequence[TrainingView]
    events: Sequence[Event]


async def read_setup(services: Services, actor: Actor) -> Setup:
    keys = {}
    for provider in ProviderName:
        try:
            keys[provider] = await services.keys.current(actor.guild_id, provider)
        except UserError:
            continue
    mine = {"guild_id": actor.guild_id, "user_id": actor.user_id}
    try:
        dataset = await services.datasets.open_dataset(**mine)
    except UserError:
        dataset = None
    return Setup(
        keys,
        await services.guilds.get(actor.guild_id),
        bool(await services.limits.of_guild(actor.guild_id)),
        len(await services.loras.usable_by(actor)),
        dataset,
        await services.trainings.running_of(actor),
        [event for event in await services.events.choices("", actor) if event.status.is_live and _sees(actor, event)],
    )


def _sees(actor: Actor, event: Event) -> bool:
    return any(actor.sight.sees(place.id) for place in channels_of(event))


def next_steps(setup: Setup, actor: Actor) -> list[str]:
    """What to do next, the most urgent first."""
    steps = [*_for_admins(setup)] if actor.is_admin else []
    steps += _for_members(setup, actor)
    return steps[:STEPS_MAX]


def _for_admins(setup: Setup) -> Iterator[str]:
    if not setup.keys:
        yield "Store the server's API key: `/keys set`. Everything else waits for it."
        return
    for provider, key in setup.keys.items():
        if key.paused_at is not None:
            yield f"{provider.label} does not accept the key any more. Check it there, then run `/keys set`."
    if ProviderName.APIFRAME not in setup.keys:
        yield "Store a key of Apiframe, too: `/keys set`. LoRAs are trained there."
    if not setup.has_limits:
        yield "Nothing limits what members spend. `/budget set` does."
    if setup.guild is None or setup.guild.reports_channel_id is None:
        yield "Choose where reports about pictures go, and a gallery: `/settings`."


def _for_members(setup: Setup, actor: Actor) -> Iterator[str]:
    if not setup.keys and not actor.is_admin:
        yield "An admin has to store the server's API key with `/keys set`; until then nothing can be made."
    for event in setup.events:
        runs = " You run it: `/event status`." if may_run(event, actor) else ""
        yield f"{quote(event.name, 60)} in <#{event.channel_id}> {STAGE_STEPS[event.status]}.{runs}"
    for view in setup.running:
        yield f"{quote(view.training.name, 40)} is being trained. `/jobs` shows how far it is."
    if setup.dataset is not None:
        yield f"Your photos of {quote(setup.dataset.name, 40)} wait: `/dataset show` opens their board."
    elif ProviderName.APIFRAME in setup.keys and not setup.running:
        yield "Train a LoRA: `/train` with 15 to 30 photos."
    if setup.keys and setup.lora_count:
        yield f"Make a picture: `/imagine`. You may use {count(setup.lora_count, 'LoRA')}."


def setup_line(setup: Setup) -> str:
    """What this server has, for everybody."""
    have = [f"{provider.label} key {'✅' if provider in setup.keys else 'not set'}" for provider in ProviderName]
    limits = "limits ✅" if setup.has_limits else "no limits"
    return f"-# This server: {' · '.join([*have, limits, count(len(setup.events), 'event')])} under way"


class AboutCog(commands.Cog):
    @app_commands.command(description="What this bot does, what this server has set and what comes next")
    async def about(self, interaction: Interaction) -> None:
        await defer(interaction)
        actor = actor_of(interaction)
        setup = await read_setup(interaction.client.services, actor)
        texts = [ABOUT, _steps_text(setup, actor), setup_line(setup)]
        await show(interaction, card(*texts, colour=discord.Colour.blurple()))

    @app_commands.command(description="All commands, and what to do next here")
    async def help(self, interaction: Interaction) -> None:
        await defer(interaction)
        actor = actor_of(interaction)
        setup = await read_setup(interaction.client.services, actor)
        runs_one = any(may_run(event, actor) for event in setup.events)
        parts = {
            MEMBERS: True,
            HOSTS: actor.is_event_host or runs_one,
            MODERATORS: actor.is_moderator,
            ADMINS: actor.is_admin,
        }
        chosen = [text for text, is_theirs in parts.items() if is_theirs]
        texts = [_steps_text(setup, actor), *chosen, setup_line(setup)]
        await show(interaction, card(*texts, colour=discord.Colour.blurple()))


def _steps_text(setup: Setup, actor: Actor) -> str:
    steps = "\n".join(f"- {step}" for step in next_steps(setup, actor))
    return f"### What comes next\n{steps or '- Have a look at `/styles`.'}"


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(AboutCog())
