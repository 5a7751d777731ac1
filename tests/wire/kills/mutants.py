"""Bots with one safeguard taken out, each of which the kill test has to catch."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import discord

from bot.client import DarkroomBot
from bot.providers.apiframe.client import Apiframe
from bot.providers.base import TrainingReport
from bot.storage.due import DueRows
from bot.storage.money import spends
from bot.training.outcomes import TrainingOutcomes
from cogs.ui.buttons import ActionButton


def forget_to_look() -> None:
    """An order of unknown outcome is sent again without a look at what the provider has."""

    async def find_nothing(self: Apiframe, marker: str, since: datetime) -> TrainingReport | None:
        return None

    Apiframe.find_training = find_nothing  # type: ignore[method-assign]


def drop_nonces() -> None:
    """Posts go out without the nonce by which Discord knows a repeated one."""
    send = discord.abc.Messageable.send

    async def send_without(self: discord.abc.Messageable, *args: Any, **options: Any) -> discord.Message:
        options.pop("nonce", None)
        sent: discord.Message = await send(self, *args, **options)
        return sent

    discord.abc.Messageable.send = send_without  # type: ignore[method-assign]


def submit_before_writing() -> None:
    """The state `submitting` reaches the database only together with the provider's answer.

    A start looks for every order that is older than itself, which would save this one: that is forgotten, too.
    """
    forget_to_look()
    submitting, adopt = TrainingOutcomes.submitting, TrainingOutcomes.adopt

    async def only_say_so(self: TrainingOutcomes, claim: Any, *, balance: int | None) -> Any:
        return claim

    async def write_both(self: TrainingOutcomes, claim: Any, report: TrainingReport, what: str) -> None:
        await adopt(self, await submitting(self, claim, balance=None), report, what)

    TrainingOutcomes.submitting = only_say_so  # type: ignore[method-assign]
    TrainingOutcomes.adopt = write_both  # type: ignore[method-assign]


def keep_dead_leases() -> None:
    """A start does not take back what the process before it was working on."""

    async def release_nothing(self: DueRows[Any]) -> None:
        pass

    DueRows.release_all = release_nothing  # type: ignore[method-assign]


def keep_no_accounts() -> None:
    """What an event orders is not set down against its budget."""

    async def reserve_nothing(*_: Any, **__: Any) -> None:
        pass

    spends.reserve = reserve_nothing


def stay_out_of_reach() -> None:
    """What waits for Discord is not told that the gateway is back."""

    async def hear_nothing(self: DarkroomBot) -> None:
        pass

    DarkroomBot.on_resumed = hear_nothing  # type: ignore[method-assign]


def answer_before_storing() -> None:
    """A pressed button is acknowledged first, and what it orders is stored afterwards."""
    pressed = ActionButton.callback

    async def acknowledge_first(self: ActionButton, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer()
        await pressed(self, interaction)

    ActionButton.callback = acknowledge_first  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    "forget to look": forget_to_look,
    "drop nonces": drop_nonces,
    "submit before writing": submit_before_writing,
    "keep dead leases": keep_dead_leases,
    "keep no accounts": keep_no_accounts,
    "stay out of reach": stay_out_of_reach,
    "answer before storing": answer_before_storing,
}
