"""Checks whether an event can be opened, and says what to do where something is missing."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import UserError
from bot.events.loras import providers_of
from bot.events.planning.drafts import LABELS
from bot.events.planning.estimate import entrants_reckoned, estimate
from bot.keys.reachability import Mark, ReachabilityService
from bot.keys.service import Funds, KeyService
from bot.loras.access import usable_lora, usable_style
from bot.ports import NotNow, ReadinessCheck
from bot.records.event import Event, EventMode
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.resources import Resources

CANDIDATES_MIN = 2


class Readiness:
    def __init__(self, opened: Resources, key_service: KeyService, reachability: ReachabilityService) -> None:
        self._database = opened.database
        self._keys = key_service
        self._reachability = reachability
        self._venue = opened.venue
        self._prices = opened.prices

    async def all(self, event: Event) -> list[ReadinessCheck]:
        """All checks; takes up to half a minute when webhook deliveries do not arrive."""
        needed, webhooks = await asyncio.gather(self.needed(event), self._webhooks(event))
        return [*needed, webhooks]

    async def needed(self, event: Event) -> list[ReadinessCheck]:
        """All checks but the webhooks, which never keep an event from being opened; takes a few seconds."""
        async with self._database.read() as connection:
            plan = await _plan(connection, event)
            providers = sorted(await providers_of(connection, event))
        venue, *money = await asyncio.gather(
            self._in_discord(event), *(self._money(event, provider) for provider in providers)
        )
        budget = _budget(event, estimate(event, self._prices), self._prices[event.subject_kind.provider].training)
        return [*venue, *(check for checks in money for check in checks), budget, *plan]

    async def _in_discord(self, event: Event) -> Sequence[ReadinessCheck]:
        try:
            return await self._venue.check(event)
        except NotNow as error:
            raise UserError("Discord does not answer just now. Please try again in a minute.") from error

    async def _money(self, event: Event, provider: ProviderName) -> list[ReadinessCheck]:
        funds = await self._keys.funds(event.guild_id, provider)
        key = f"API key of {provider.label}"
        if funds.trouble is not None:
            return [ReadinessCheck(key, is_ok=False, fix=funds.trouble)]
        price = funds.price if event.mode.trains else 0
        return [ReadinessCheck(key, is_ok=True), _balance(funds, provider, price)]

    async def _webhooks(self, event: Event) -> ReadinessCheck:
        findings = await self._reachability.run(event.guild_id)
        bad = [finding.text for finding in findings if finding.mark is Mark.BAD]
        if bad:
            return ReadinessCheck("Webhooks", is_ok=False, fix=" ".join(bad), is_optional=True)
        reached = any(finding.mark is Mark.GOOD for finding in findings)
        what = "Webhooks" if reached else "Webhooks are not set up: Darkroom looks at running jobs by itself"
        return ReadinessCheck(what, is_ok=True, is_optional=True)


def _balance(funds: Funds, provider: ProviderName, price: int) -> ReadinessCheck:
    """`price` of one training in credits, 0 in an event without training."""
    what = f"Balance at {provider.label}"
    if funds.balance is None:
        fix = f"{provider.label} did not say just now. Look at the balance in its dashboard."
        return ReadinessCheck(what, is_ok=False, fix=fix, is_optional=True)
    least = max(price, 1)
    if funds.balance < least:
        for_what = f"one training takes {price:,}" if price else "pictures need some"
        fix = f"There are not enough credits: {for_what}. Top up in the dashboard of {provider.label}."
        return ReadinessCheck(what, is_ok=False, fix=fix)
    return ReadinessCheck(f"{what}: enough for {'one training' if price else 'pictures'}", is_ok=True)


def _budget(event: Event, expected: int, training: int) -> ReadinessCheck:
    """`expected`: what the event will take, `training`: what one training takes, both in credits."""
    what = f"Estimate: {expected:,} credits for {entrants_reckoned(event)} members"
    if event.mode is EventMode.BAKEOFF:
        what = f"Estimate: {expected:,} credits"
    if event.budget is None:
        return ReadinessCheck(f"{what}; there is no budget, so nothing stops above it", is_ok=True)
    if event.mode.trains and event.budget < training:
        fix = f"One training takes {training:,} credits; the budget is {event.budget:,}. Raise it."
        return ReadinessCheck("Budget", is_ok=False, fix=fix)
    if event.budget < expected:
        fix = f"{what}. The budget of {event.budget:,} ends it earlier; raise it, or let fewer take part."
        return ReadinessCheck("Budget", is_ok=False, fix=fix, is_optional=True)
    return ReadinessCheck(f"{what}; the budget is {event.budget:,}", is_ok=True)


async def _plan(connection: AsyncConnection, event: Event) -> list[ReadinessCheck]:
    match event.mode:
        case EventMode.CLUB:
            return await _club(connection, event)
        case EventMode.BAKEOFF:
            return await _bakeoff(connection, event)
        case EventMode.SHARED | EventMode.PERSONAL:
            return [_pack(event, is_optional=True)]


async def _club(connection: AsyncConnection, event: Event) -> list[ReadinessCheck]:
    what = "Styles and LoRAs to make pictures with"
    if not event.style_ids and not event.lora_ids:
        return [ReadinessCheck(what, is_ok=False, fix="Choose at least one style or LoRA.")]
    host = Actor(event.guild_id, event.host_id)
    problems = await _problems(connection, host, event.lora_ids, event.style_ids)
    checks = [ReadinessCheck(what, is_ok=not problems, fix=" ".join(problems))]
    if event.pictures_each == 0:
        checks.append(ReadinessCheck(LABELS["pictures_each"], is_ok=False, fix="Allow everyone at least one picture."))
    return checks


async def _bakeoff(connection: AsyncConnection, event: Event) -> list[ReadinessCheck]:
    what = "Versions or settings to compare"
    host = Actor(event.guild_id, event.host_id)
    problems = await _problems(connection, host, [candidate.lora_id for candidate in event.candidates], ())
    if len(event.candidates) < CANDIDATES_MIN:
        problems.append(f"Choose at least {CANDIDATES_MIN}.")
    return [ReadinessCheck(what, is_ok=not problems, fix=" ".join(problems)), _pack(event, is_optional=False)]


def _pack(event: Event, *, is_optional: bool) -> ReadinessCheck:
    if event.pack:
        return ReadinessCheck(f"Prompt pack: {len(event.pack)}", is_ok=True, is_optional=is_optional)
    fix = "Without prompts no pictures are made by themselves. Pick a pack, or write your own."
    return ReadinessCheck("Prompt pack", is_ok=False, fix=fix, is_optional=is_optional)


async def _problems(
    connection: AsyncConnection, host: Actor, lora_ids: Sequence[int], style_ids: Sequence[int]
) -> list[str]:
    """Why the host cannot use these, each sentence once."""
    found: list[str] = []
    for usable, ids in ((usable_lora, lora_ids), (usable_style, style_ids)):
        for each in ids:
            try:
                await usable(connection, each, host)
            except UserError as error:
                found.append(str(error))
    return list(dict.fromkeys(found))
