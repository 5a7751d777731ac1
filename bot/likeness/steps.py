"""What follows when nobody decides in time, and when a decided claim has been kept long enough."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.likeness.outcomes import retire
from bot.records.guild import NOBODY
from bot.records.likeness import LikenessClaim, LikenessStatus
from bot.records.moderation import Act
from bot.resources import Service
from bot.storage.due import Claim, mark, store
from bot.storage.people import erasure, likeness, moderation_log
from bot.storage.question_tables import likeness_claims


class LikenessSteps(Service):
    async def advance(self, claim: Claim[LikenessClaim]) -> None:
        if claim.row.status is LikenessStatus.OPEN:
            await self._database.write(lambda connection: self._lapse(connection, claim))
        else:
            await self._database.write(lambda connection: self._forget(connection, claim))

    async def _lapse(self, connection: AsyncConnection, claim: Claim[LikenessClaim]) -> None:
        now, kept_for = self._clock.now(), self._timings.details_kept
        ends_at = claim.row.created_at + self._timings.claim_open
        if now < ends_at:
            await store(connection, likeness_claims, claim, due_at=ends_at)
            return
        lapsed = {"status": LikenessStatus.LAPSED, "decided_at": now}
        await store(connection, likeness_claims, claim, due_at=now + kept_for, **lapsed)
        current = await likeness.get(connection, claim.id)
        assert current is not None  # stored just above
        await likeness.tell(connection, current, now=now)
        about = f"LoRA #{current.lora_id}, retired because nobody decided on a claim"
        known_as = f"lapsed:{claim.id}"
        await moderation_log.note(
            connection, current.guild_id, Act.MODERATED, NOBODY, about, now=now, known_as=known_as
        )
        await retire(connection, current, now=now, kept_for=kept_for)

    async def _forget(self, connection: AsyncConnection, claim: Claim[LikenessClaim]) -> None:
        forgotten_at = (claim.row.decided_at or self._clock.now()) + self._timings.details_kept
        if self._clock.now() < forgotten_at:
            await store(connection, likeness_claims, claim, due_at=forgotten_at)
            return
        await mark(connection, likeness_claims, claim)
        await erasure.erase_claim(connection, claim.id)
