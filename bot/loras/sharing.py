"""Sharing LoRAs inside a guild, and offering one to another member, who has to accept it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.loras.access import find
from bot.loras.rights import Right
from bot.moderation.service import BLOCKED
from bot.questions.service import ask_today
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.lora import Audience, Lora, Offer, OfferStatus, Share
from bot.records.moderation import Act
from bot.records.post import PostKind
from bot.resources import Service
from bot.storage.events import events
from bot.storage.jobs import loras, posts
from bot.storage.jobs import sharing as rows
from bot.storage.people import moderation, moderation_log

SHARES_MAX = 25
"""Audiences of one LoRA: as many as one select shows (Discord /docs/components/reference)."""

OFFER_NOT_HERE = "This offer is for somebody else, or it is not here any more."
OFFER_ENDED = {
    OfferStatus.ACCEPTED: "This offer has been accepted already.",
    OfferStatus.DECLINED: "This offer has been declined already.",
    OfferStatus.WITHDRAWN: "This offer is over: it was withdrawn, or the LoRA has been archived.",
}
OFFER_TOO_OLD = "This offer was not answered in time. Ask for a new one if you still want it."


@dataclass(frozen=True, slots=True)
class Sharing:
    """With whom a LoRA is shared, oldest share first."""

    lora: Lora
    shares: tuple[Share, ...]
    events: Mapping[int, str]
    """Names by id of the guild's running events, and of those it is shared with."""


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer that can be answered until `ends_at`. `lora` is None when it has just been erased."""

    offer: Offer
    lora: Lora | None
    ends_at: datetime
    is_open: bool


class SharingService(Service):
    async def of(self, lora_id: int, actor: Actor) -> Sharing:
        """With whom the LoRA is shared; for its owner and the guild's admins."""
        async with self._database.read() as connection:
            lora = await find(connection, lora_id, actor, Right.CHANGE)
            return await _show_sharing(connection, lora)

    async def share(self, lora_id: int, audience: Audience, audience_id: int | None, actor: Actor) -> Sharing:
        """Share the LoRA; only its owner may.

        `audience_id` is a member, a role or an event, None for the whole guild. The caller has checked that the member
        or role belongs to this guild. Entrants of an event may use the LoRA as long as they take part.
        """

        async def transaction(connection: AsyncConnection) -> Sharing:
            lora = await find(connection, lora_id, actor, Right.SHARE)
            if audience is Audience.MEMBER and audience_id == lora.owner_id:
                raise UserError("This LoRA is yours already; there is no need to share it with yourself.")
            if audience is Audience.EVENT:
                await _check_event(connection, audience_id, actor)
            await rows.share(connection, lora, audience, audience_id, by=actor.user_id, now=self._clock.now())
            shown = await _show_sharing(connection, lora)
            if len(shown.shares) > SHARES_MAX:
                raise UserError(
                    f"This LoRA is shared with {SHARES_MAX} already. Share it with a role, or with everyone."
                )
            return shown

        return await self._database.write(transaction)

    async def take_back(self, lora_id: int, share_ids: Collection[int], actor: Actor) -> Sharing:
        """Remove these shares; for the owner and the guild's admins. Orders that were accepted are still made."""

        async def transaction(connection: AsyncConnection) -> Sharing:
            lora = await find(connection, lora_id, actor, Right.CHANGE)
            for share_id in share_ids:
                await rows.unshare(connection, share_id, lora_id=lora_id)
            return await _show_sharing(connection, lora)

        return await self._database.write(transaction)

    async def offer(self, lora_id: int, to_id: int, actor: Actor, channel: Channel) -> OfferView:
        """Offer the LoRA to a member as its new owner; an earlier open offer of it ends.

        UserError, and nothing changes, when this member was asked or offered something by the actor within a day.
        The caller has checked that the receiver is a member of this guild and no bot.
        """
        if to_id == actor.user_id:
            raise UserError("This LoRA is yours already. Pick the member who should have it.")
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> OfferView:
            lora = await find(connection, lora_id, actor, Right.SHARE)
            await rows.end_offer(connection, lora_id, now=now)
            offer = await rows.insert_offer(
                connection,
                guild_id=lora.guild_id,
                channel_id=channel.id,
                lora_id=lora_id,
                from_id=actor.user_id,
                to_id=to_id,
                created_at=now,
            )
            pair = {"guild_id": offer.guild_id, "from_id": offer.from_id, "to_id": offer.to_id}
            places = _places(offer, offer.to_id)
            await ask_today(connection, PostKind.LORA_OFFER, offer.id, **pair, places=places, now=now)
            return self._show(offer, lora)

        return await self._database.write(transaction)

    async def view(self, offer_id: int) -> OfferView | None:
        """The offer, or None. Callers check who may see it."""
        async with self._database.read() as connection:
            offer = await rows.get_offer(connection, offer_id)
            if offer is None:
                return None
            return self._show(offer, await loras.get(connection, offer.lora_id))

    async def accept(self, offer_id: int, *, user_id: int, guild_id: int | None) -> Lora:
        """Make the receiver the owner and end all shares. `guild_id` is None in a private message."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Lora | None:
            offer = await self._answerable(connection, offer_id, guild_id, user_id, is_giver=False)
            if not await loras.hand_over(connection, offer.lora_id, from_id=offer.from_id, to_id=offer.to_id):
                await rows.answer_offer(connection, offer.id, OfferStatus.WITHDRAWN, now=now)
                return None
            await rows.answer_offer(connection, offer.id, OfferStatus.ACCEPTED, now=now)
            await rows.unshare_all(connection, offer.lora_id)
            await self._tell_giver(connection, offer)
            about = f"LoRA #{offer.lora_id}, handed over"
            await moderation_log.note(
                connection, offer.guild_id, Act.SHARED, offer.from_id, about, member_id=offer.to_id, now=now
            )
            return await loras.get(connection, offer.lora_id)

        lora = await self._database.write(transaction)
        if lora is None:
            raise UserError(OFFER_ENDED[OfferStatus.WITHDRAWN])
        return lora

    async def decline(self, offer_id: int, *, user_id: int, guild_id: int | None) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            offer = await self._answerable(connection, offer_id, guild_id, user_id, is_giver=False)
            await rows.answer_offer(connection, offer.id, OfferStatus.DECLINED, now=self._clock.now())
            await self._tell_giver(connection, offer)

        await self._database.write(transaction)

    async def withdraw(self, offer_id: int, *, user_id: int, guild_id: int | None) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            offer = await self._answerable(connection, offer_id, guild_id, user_id, is_giver=True)
            await rows.answer_offer(connection, offer.id, OfferStatus.WITHDRAWN, now=self._clock.now())

        await self._database.write(transaction)

    async def _answerable(
        self, connection: AsyncConnection, offer_id: int, guild_id: int | None, user_id: int, *, is_giver: bool
    ) -> Offer:
        """The open offer; NotFound unless it is this member's to answer, UserError when it has ended."""
        offer = await rows.get_offer(connection, offer_id)
        if (
            offer is None
            or guild_id not in {None, offer.guild_id}
            or user_id != (offer.from_id if is_giver else offer.to_id)
        ):
            raise NotFound(OFFER_NOT_HERE)
        if await moderation.is_blocked(connection, offer.guild_id, user_id):
            raise NotAllowed(BLOCKED)
        if offer.status is not OfferStatus.OPEN:
            raise UserError(OFFER_ENDED[offer.status])
        if self._clock.now() > self._ends_at(offer):
            raise UserError(OFFER_TOO_OLD)
        return offer

    def _show(self, offer: Offer, lora: Lora | None) -> OfferView:
        is_open = offer.status is OfferStatus.OPEN and self._clock.now() <= self._ends_at(offer)
        return OfferView(offer, lora, self._ends_at(offer), is_open)

    def _ends_at(self, offer: Offer) -> datetime:
        return offer.created_at + self._timings.offer_open

    async def _tell_giver(self, connection: AsyncConnection, offer: Offer) -> None:
        await posts.add(
            connection,
            PostKind.LORA_OFFER_ANSWERED,
            offer.id,
            guild_id=offer.guild_id,
            user_id=offer.from_id,
            places=_places(offer, offer.from_id),
            now=self._clock.now(),
        )


def _places(offer: Offer, user_id: int) -> list[Place]:
    """For this member alone: in the channel where the LoRA was offered, else privately."""
    return [Place(PlaceKind.CHANNEL, offer.channel_id), Place(PlaceKind.USER, user_id)]


async def _show_sharing(connection: AsyncConnection, lora: Lora) -> Sharing:
    shares = tuple(await rows.shares_of(connection, lora.id))
    named = {share.audience_id for share in shares if share.audience is Audience.EVENT}
    known = await events.of_guild(connection, lora.guild_id)
    return Sharing(lora, shares, {each.id: each.name for each in known if each.status.is_live or each.id in named})


async def _check_event(connection: AsyncConnection, event_id: int | None, actor: Actor) -> None:
    event = None if event_id is None else await events.get(connection, event_id)
    if event is None or event.guild_id != actor.guild_id or not event.status.is_live:
        raise NotFound("This event is not running here. Pick one that is.")
