"""Claims to be seen in what a LoRA makes: it rests at once, and its owner or a moderator decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.generation.access import visible_generation
from bot.guilds import moderator_places
from bot.likeness import rules
from bot.likeness.outcomes import retire
from bot.moderation.service import BLOCKED
from bot.moderation.texts import check_text
from bot.records.generation import Generation
from bot.records.guild import NOBODY, Actor, Place, PlaceKind
from bot.records.likeness import LikenessClaim, LikenessStatus
from bot.records.lora import Lora
from bot.records.moderation import Act
from bot.records.post import PostKind
from bot.resources import Service
from bot.storage.events import ballots
from bot.storage.jobs import generations, loras, pictures, posts
from bot.storage.people import likeness as rows
from bot.storage.people import moderation, moderation_log, pseudonyms
from bot.text import cite


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim that is decided by `ends_at` at the latest; `lora` is None when it was erased.

    `is_secret`: its claimant is not told which LoRA it is about, because that would tell whose an entry of a vote is.
    """

    claim: LikenessClaim
    lora: Lora | None
    ends_at: datetime
    is_secret: bool = False


async def lora_of(connection: AsyncConnection, generation: Generation) -> int:
    """The id of the LoRA that made these pictures, or what they were made from; UserError without one."""
    for step in (generation, *await pictures.lineage(connection, generation)):
        if step.lora_id is not None:
            return step.lora_id
    raise UserError(rules.NO_LORA)


class LikenessService(Service):
    async def check(self, lora_id: int, actor: Actor) -> None:
        """UserError when this member cannot claim to be seen in this LoRA (any more)."""
        await self._database.fetch(self._claimable, lora_id, actor)

    async def lora_behind(self, generation_id: int, actor: Actor) -> int:
        """The id of the LoRA that made these pictures, or what they were made from; UserError without one."""
        async with self._database.read() as connection:
            return await lora_of(connection, await visible_generation(connection, generation_id, actor))

    async def claim(self, lora_id: int, actor: Actor) -> ClaimView:
        """Let the LoRA rest: orders that wait end, and its owner and the moderators are asked to decide."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> ClaimView:
            lora = await self._claimable(connection, lora_id, actor)
            claim = await rows.insert(
                connection,
                guild_id=lora.guild_id,
                lora_id=lora.id,
                user_id=actor.user_id,
                created_at=now,
                due_at=now + self._timings.claim_open,
            )
            await loras.rest(connection, lora.id, now=now)
            await generations.wake_queued_with(connection, lora.id, now=now)
            await self._ask(connection, claim, lora, now)
            return await self._view(connection, claim, lora)

        return await self._database.write(transaction)

    async def view(self, claim_id: int) -> ClaimView | None:
        """The claim, or None. Callers check who may see it."""
        async with self._database.read() as connection:
            claim = await rows.get(connection, claim_id)
            if claim is None:
                return None
            return await self._view(connection, claim, await loras.get(connection, claim.lora_id))

    async def of_member(self, guild_id: int, user_id: int) -> Sequence[ClaimView]:
        """What they have claimed, newest first."""
        async with self._database.read() as connection:
            claims = await rows.of_member(connection, guild_id, user_id)
            return [await self._view(connection, each, await loras.get(connection, each.lora_id)) for each in claims]

    async def to_decide(self, claim_id: int, actor: Actor) -> ClaimView:
        """The claim, if this member may decide it now; UserError otherwise."""
        async with self._database.read() as connection:
            claim, lora = await self._decidable(connection, claim_id, actor)
            return await self._view(connection, claim, lora)

    async def decide(self, claim_id: int, actor: Actor, *, keep: str | None = None) -> Lora:
        """Retire the LoRA for good, or keep it for the reason `keep`."""
        reason = None if keep is None else " ".join(keep.split())[: rules.REASON_MAX]
        if reason == "":
            raise UserError(rules.NO_REASON)
        now, kept_for = self._clock.now(), self._timings.details_kept

        async def transaction(connection: AsyncConnection) -> Lora:
            claim, lora = await self._decidable(connection, claim_id, actor)
            await check_text(connection, actor.guild_id, reason)
            if reason is not None and lora.retiring_since is not None:
                raise UserError(rules.RETIRED)
            status = LikenessStatus.RETIRED if reason is None else LikenessStatus.KEPT
            await rows.end(connection, claim, status, reason=reason, now=now, kept_for=kept_for)
            about = f"LoRA #{lora.id}, {'retired' if reason is None else 'kept'} after a claim"
            await moderation_log.note(connection, actor.guild_id, Act.MODERATED, actor.user_id, about, now=now)
            if reason is None:
                await retire(connection, claim, now=now, kept_for=kept_for)
            elif not await rows.open_of(connection, lora.id):
                await loras.end_rest(connection, lora.id)
            return lora

        return await self._database.write(transaction)

    async def _claimable(self, connection: AsyncConnection, lora_id: int, actor: Actor) -> Lora:
        """The LoRA; UserError when this member cannot claim it.

        Who is in it may say so without being allowed to use it or to see its card.
        """
        lora = await loras.get(connection, lora_id)
        if lora is None or lora.guild_id != actor.guild_id or lora.archived_at is not None:
            raise NotFound(rules.NOT_HERE)
        if lora.owner_id == actor.user_id:
            raise UserError(rules.YOURS)
        if lora.retiring_since is not None:
            raise UserError(rules.RETIRED)
        ids = await pseudonyms.ids_of(connection, actor.guild_id, actor.user_id)
        before = await rows.newest(connection, lora.id, ids)
        if before is not None and before.status is LikenessStatus.OPEN:
            raise UserError(rules.waits_already(before.created_at + self._timings.claim_open))
        if before is not None and before.decided_at is not None:
            again_at = before.decided_at + self._timings.details_kept
            if self._clock.now() < again_at:
                why = None if before.reason is None else cite(before.reason, rules.REASON_MAX)
                raise UserError(rules.was_kept(why, again_at))
        if await rows.count_open_of(connection, actor.guild_id, ids) >= rules.OPEN_MAX:
            raise UserError(rules.TOO_MANY)
        return lora

    async def _decidable(self, connection: AsyncConnection, claim_id: int, actor: Actor) -> tuple[LikenessClaim, Lora]:
        claim = await rows.get(connection, claim_id)
        lora = None if claim is None else await loras.get(connection, claim.lora_id)
        if claim is None or claim.guild_id != actor.guild_id:
            raise NotFound(rules.NO_CLAIM)
        if claim.user_id in await pseudonyms.ids_of(connection, actor.guild_id, actor.user_id):
            raise NotAllowed(rules.NOT_BY_THEMSELVES)
        if await moderation.is_blocked(connection, actor.guild_id, actor.user_id):
            raise NotAllowed(BLOCKED)
        is_owner = lora is not None and lora.owner_id == actor.user_id
        if not (is_owner or actor.is_moderator or actor.is_admin):
            raise NotAllowed(rules.FOR_OTHERS)
        if lora is None or claim.status is not LikenessStatus.OPEN:
            raise UserError(rules.DECIDED)
        return claim, lora

    async def _ask(self, connection: AsyncConnection, claim: LikenessClaim, lora: Lora, now: datetime) -> None:
        """The owner privately, and the moderators where they read reports; the claimant is never among those asked."""
        owner = Place(PlaceKind.USER, lora.owner_id)
        others = await moderator_places(connection, lora.guild_id, lora.provider)
        left_out = {owner, Place(PlaceKind.USER, claim.user_id)}
        readers = [place for place in others if place not in left_out]
        for kind, user_id, places in (
            (PostKind.LIKENESS_OWNER, lora.owner_id, [owner]),
            (PostKind.LIKENESS_MODERATORS, NOBODY, readers),
        ):
            if places:
                await posts.add(
                    connection, kind, claim.id, guild_id=claim.guild_id, user_id=user_id, places=places, now=now
                )

    async def _view(self, connection: AsyncConnection, claim: LikenessClaim, lora: Lora | None) -> ClaimView:
        is_secret = lora is not None and await ballots.is_voted_on(connection, lora)
        return ClaimView(claim, lora, claim.created_at + self._timings.claim_open, is_secret)
