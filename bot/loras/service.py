"""LoRAs and characters: choosing one, its card, its name and note, archiving it.

Only who owns a LoRA counts here; whether the owner is still a member of the guild is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound, UserError
from bot.loras import rights
from bot.loras.access import find, shares_and_events
from bot.loras.rights import Right
from bot.moderation.texts import check_text, is_explicit
from bot.records.guild import Actor
from bot.records.likeness import LikenessClaim
from bot.records.lora import NAME_MAX, Lora, Offer, Share
from bot.records.moderation import Act
from bot.records.removal import RemovalReason
from bot.resources import Service
from bot.storage.jobs import generations, loras, previews, sharing
from bot.storage.jobs.previews import PREVIEWS_MAX
from bot.storage.people import likeness, moderation_log, removals
from bot.text import CHOICES_MAX, named, search

NOTE_MAX = 300

NOT_NAMED = "You have no such LoRA here. Pick one from the list, or train one with `/train`."


@dataclass(frozen=True, slots=True)
class LoraView:
    """A LoRA as one member may see it; `may` are their rights on it.

    `versions` (oldest first, the LoRA among them), `shares`, `offer` and `claims` are empty unless they may change it.
    """

    lora: Lora
    uses: int
    may: frozenset[Right]
    versions: tuple[Lora, ...]
    shares: tuple[Share, ...]
    offer: Offer | None
    claims: tuple[LikenessClaim, ...]
    previews: tuple[Path, ...]


class LoraService(Service):
    async def usable_by(self, actor: Actor) -> Sequence[Lora]:
        """LoRAs and characters this member may make pictures with here, newest first: their own and shared ones."""
        return await self.among(Right.USE, actor)

    async def among(self, right: Right, actor: Actor) -> Sequence[Lora]:
        """All LoRAs on which the actor has this right, newest first."""
        async with self._database.read() as connection:
            if actor.is_admin and right in {Right.SEE, Right.CHANGE}:
                return await loras.of_guild(connection, actor.guild_id)
            if right in {Right.USE, Right.SEE}:
                return await sharing.usable_by(connection, actor)
            return await loras.owned_by(connection, actor.guild_id, actor.user_id)

    async def choices(self, text: str, actor: Actor, right: Right = Right.USE) -> Sequence[Lora]:
        """At most 25 for what has been typed, best first."""
        return search(text, await self.among(right, actor), lambda lora: lora.name)[:CHOICES_MAX]

    async def pick(self, value: str, actor: Actor, right: Right = Right.USE) -> Lora:
        """The LoRA for an autocomplete value, or for a typed name that exactly one has.

        Raises NotFound when there is none, NotAllowed when the actor may see it but not do this with it.
        """
        found = pick_from(value, await self.among(right, actor))
        if found is None and right in {Right.CHANGE, Right.SHARE}:
            found = pick_from(value, await self.among(Right.SEE, actor))
        if found is None:
            raise NotFound(NOT_NAMED)
        return await self.get_for(found.id, actor, right)

    async def get_for(self, lora_id: int, actor: Actor, right: Right = Right.USE) -> Lora:
        """The LoRA, if the actor has this right on it; raises as `find` does."""
        return await self._database.fetch(find, lora_id, actor, right)

    async def get(self, lora_id: int) -> Lora | None:
        """The LoRA, or None. Callers check who may see it."""
        return await self._database.fetch(loras.get, lora_id)

    async def view(self, lora_id: int, actor: Actor) -> LoraView:
        async with self._database.read() as connection:
            lora = await find(connection, lora_id, actor, Right.SEE)
            shares, event_ids = await shares_and_events(connection, lora.id, actor)
            may = rights.held(lora, shares, actor, event_ids)
            is_keeper = Right.CHANGE in may
            files = await _shown_of(connection, lora, actor, PREVIEWS_MAX)
            versions = await loras.lineage(connection, lora) if is_keeper else []
            return LoraView(
                lora=lora,
                uses=await generations.of_lora(connection, lora.id),
                may=may,
                versions=tuple(version for version in versions if actor.is_admin or version.owner_id == actor.user_id),
                shares=tuple(shares) if is_keeper else (),
                offer=await sharing.open_offer_of(connection, lora.id) if is_keeper else None,
                claims=tuple(await likeness.open_of(connection, lora.id)) if is_keeper else (),
                previews=tuple(self._spool.path(file) for file in files),
            )

    async def previews(self, among: Sequence[Lora], actor: Actor) -> Mapping[int, Path]:
        """The best picture that this member may see of each of these LoRAs that has one."""
        async with self._database.read() as connection:
            found = {lora.id: await _shown_of(connection, lora, actor, 1) for lora in among}
        return {lora_id: self._spool.path(files[0]) for lora_id, files in found.items() if files}

    async def rename(self, lora_id: int, name: str, actor: Actor) -> Lora:
        """Change the name here; at the provider the LoRA keeps the name it was ordered under."""
        name = " ".join(name.split())
        if not 1 <= len(name) <= NAME_MAX:
            raise UserError(f"A name takes 1 to {NAME_MAX} characters. Please pick a shorter one.")
        return replace(await self._change(lora_id, actor, name=name), name=name)

    async def write_note(self, lora_id: int, note: str, actor: Actor) -> Lora:
        """Replace the note; an empty one removes it."""
        if len(note.strip()) > NOTE_MAX:
            raise UserError(f"A note takes up to {NOTE_MAX} characters. Please shorten it.")
        kept = note.strip() or None
        return replace(await self._change(lora_id, actor, note=kept), note=kept)

    async def forget_default(self, lora_id: int, actor: Actor) -> Lora:
        """It has no strength of its own any more, and is no chosen version."""
        lora = await self._change(lora_id, actor, strength=None, chosen_at=None)
        return replace(lora, strength=None, chosen_at=None)

    async def archive(self, lora_id: int, actor: Actor) -> Lora:
        """Hide the LoRA, and have it removed at the provider; its shares and its offer end."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Lora:
            lora = await find(connection, lora_id, actor, Right.CHANGE)
            if not await loras.archive(connection, lora.id, now=now):
                raise UserError("This LoRA has been archived already.")
            await removals.of_lora(connection, lora, RemovalReason.ARCHIVED, user_id=actor.user_id, now=now)
            await sharing.unshare_all(connection, lora.id)
            await sharing.end_offer(connection, lora.id, now=now)
            await likeness.end_all(connection, lora.id, now=now, kept_for=self._timings.details_kept)
            about = f"LoRA #{lora.id}, archived"
            owner = None if lora.owner_id == actor.user_id else lora.owner_id
            await moderation_log.note(
                connection, lora.guild_id, Act.DELETED, actor.user_id, about, member_id=owner, now=now
            )
            return lora

        return await self._database.write(transaction)

    async def _change(self, lora_id: int, actor: Actor, **values: str | None) -> Lora:
        async def transaction(connection: AsyncConnection) -> Lora:
            lora = await find(connection, lora_id, actor, Right.CHANGE)
            await check_text(connection, actor.guild_id, *values.values())
            await loras.change(connection, lora.id, **values)
            return lora

        return await self._database.write(transaction)


async def _shown_of(connection: AsyncConnection, lora: Lora, actor: Actor, limit: int) -> list[str]:
    """Spool names of the best pictures that this member may see: those still here, then those that it keeps.

    None that is explicit, because whether a channel is age-restricted changes.
    """
    made = await loras.best_pictures(connection, lora, actor)
    here = islice((file for file, prompt in made.items() if not is_explicit(prompt)), limit)
    return [*here, *await previews.seen_by(connection, lora.id, actor)][:limit]


def pick_from(value: str, among: Sequence[Lora]) -> Lora | None:
    """The LoRA with this choice value, else the only one with this name or label, else None.

    Of several versions with the same name the one that was chosen counts, or a newer one.
    """
    for lora in among:
        if value == choice_value(lora):
            return lora
    called = named(value, among, lambda lora: (lora.name, choice_label(lora)))
    replaced = {lora.previous_id for lora in called}
    newest = [lora for lora in called if lora.id not in replaced]
    return _default_of(newest[0], called) if len(newest) == 1 else None


def _default_of(newest: Lora, versions: Sequence[Lora]) -> Lora:
    """The version that was chosen last, unless the newest was made after that."""
    chosen = [(lora.chosen_at, lora.id, lora) for lora in versions if lora.chosen_at is not None]
    at, _, last = max(chosen, default=(newest.created_at, newest.id, newest))
    return last if at >= newest.created_at else newest


def choice_value(lora: Lora) -> str:
    return f"lora-{lora.id}"


def choice_label(lora: Lora) -> str:
    """As shown in a list of choices: name, version from the second on, and whether it is a character."""
    version = f" · v{lora.version}" if lora.version > 1 else ""
    return f"{lora.name}{version}{' · character' if lora.is_character else ''}"
