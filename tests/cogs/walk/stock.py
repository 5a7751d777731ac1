"""What every guild of the walk has: keys, LoRAs, pictures, shares, an offer, a report and events of its own."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import UserError
from bot.generation.order import PartialOrder, PictureOrder
from bot.loras.rights import Right
from bot.records.dataset import SubjectKind
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor
from bot.records.job import SubjectTable
from bot.records.lora import Audience, Lora
from bot.storage import tables
from bot.storage.people.questions import DAY
from tests.cogs.walk.events import EventStock
from tests.cogs.walk.world import AGES, Party, Person, Town, keys_of
from tests.fakes.rows import add_dataset, add_photos, photo
from tests.fakes.studio import tiny_jpeg


@dataclass(eq=False)
class Stock:
    """Every text in it holds the canary word of its guild."""

    town: Town

    async def fill(self) -> None:
        """Give every guild what it has lost: keys, styles, LoRAs, pictures, an offer, a report."""
        for party in self.town.parties:
            await self._stock_guild(party)
            await self.town.rest()
            for person in party.people:
                await self._stock_person(person)
            await self._stock_dealings(party)
            await self.town.rest()
            await EventStock(self.town).fill(party)

    async def _stock_guild(self, party: Party) -> None:
        services, guild_id = self.town.darkroom.services, party.guild.id
        await services.guilds.choose_approval(guild_id, is_needed=False)
        await services.moderation.set_words(party.people[0].actor, "")
        for person in party.people:
            with contextlib.suppress(UserError):
                await services.moderation.unblock(party.people[0].actor, person.member.id)
        for provider, key in keys_of(party.word).items():
            status = await services.keys.status(guild_id, provider)
            if status is None or status.row.paused_at is not None:
                await services.keys.set(guild_id, provider, key, set_by=party.people[0].member.id)
        for limit in await services.limits.of_guild(guild_id):
            await services.limits.clear(party.people[0].actor, limit.who, limit.role_id or None)
        await services.limits.choose_training_pause(guild_id, None)
        await services.guilds.choose_gallery(guild_id, party.gallery.id)
        await services.guilds.choose_reports(guild_id, party.channel.id)

    async def _stock_person(self, person: Person) -> None:
        mine = await self._own(person)
        kinds = {lora.subject_kind for lora in mine}
        for kind, count in ((SubjectKind.OBJECT, 15), (SubjectKind.CHARACTER, 3)):
            if kind not in kinds:
                await self._train(person, kind, count)
        await self._mark(person)
        if not await self._count(tables.datasets, person, status="open", event_id=None):
            await self._collect(person, SubjectKind.PERSON, 3)
        if await self._count(tables.generations, person, status="ready", deleted_at=None) < 2:
            await self._order(person, await self._own(person))
        await self.town.rest()

    async def _stock_dealings(self, party: Party) -> None:
        """The admin shares with the role, the first member with everyone; an offer waits, a report is open."""
        services = self.town.darkroom.services
        admin, giver, taker = party.people
        for person, audience, audience_id in (
            (admin, Audience.ROLE, party.role.id),
            (giver, Audience.GUILD, None),
            (taker, Audience.MEMBER, giver.member.id),
        ):
            lora = (await self._own(person))[-1]
            await services.sharing.share(lora.id, audience, audience_id, person.actor)
        if not await self._count(tables.lora_offers, party, status="open"):
            lora = (await self._own(giver))[0]
            # One question or offer a day from one member to another.
            self.town.clock.advance(DAY)
            with contextlib.suppress(UserError):
                await services.sharing.offer(lora.id, taker.member.id, giver.actor, party.place)
        if not await self._count(tables.picture_reports, party, dismissed_at=None):
            with contextlib.suppress(UserError):
                refs = [entry.ref for entry in (await services.history.of_member(giver.actor, 0, 100)).entries]
                shown = [ref.id for ref in refs if ref.subject is SubjectTable.GENERATION]
                await services.reports.report(shown[0], f"odd {party.word}", taker.actor)

    async def _own(self, person: Person) -> Sequence[Lora]:
        """Their LoRAs that can be used, newest first, without those of events."""
        found = await self.town.darkroom.services.loras.among(Right.SHARE, person.actor)
        return [lora for lora in found if lora.event_id is None and lora.is_usable]

    async def _collect(self, person: Person, kind: SubjectKind, count: int) -> int:
        """An open dataset whose photos lie in the spool."""
        party, spool, now = person.party, self.town.spool, self.town.clock.now()
        first = await self._next_id(tables.photos)
        dataset_id = await add_dataset(
            self.town.darkroom.database,
            guild_id=party.guild.id,
            channel_id=party.channel.id,
            user_id=person.member.id,
            name=f"Set {first} {party.word}",
            subject_kind=kind,
            created_at=now,
            due_at=now + AGES,
        )
        photos = []
        for number in range(1, count + 1):
            content, name = tiny_jpeg(number), spool.new_name(".jpg")
            spool.path(name).write_bytes(content)
            one = photo(number, dataset_id, file=name, size=len(content), name=f"{party.word}-{number}.jpg")
            photos.append(replace(one, sha256=f"{first + number:064x}"))
        await add_photos(self.town.darkroom.database, photos)
        return dataset_id

    async def _train(self, person: Person, kind: SubjectKind, count: int) -> None:
        dataset_id = await self._collect(person, kind, count)
        party = person.party
        await self.town.darkroom.services.trainings.start(
            dataset_id, Actor(party.guild.id, person.member.id), channel=party.place
        )
        await self.town.rest()

    async def _mark(self, person: Person) -> None:
        """The canary word in what members cannot write."""
        word = person.party.word

        async def transaction(connection: AsyncConnection) -> None:
            mine = sa.and_(tables.loras.c.guild_id == person.party.guild.id, tables.loras.c.note.is_(None))
            await connection.execute(
                sa.update(tables.loras).where(mine).values(note=f"note {word}", trigger_word=f"TOK{word.upper()}")
            )

        await self.town.darkroom.database.write(transaction)

    async def _order(self, person: Person, loras: Sequence[Lora]) -> None:
        """Pictures with a LoRA, and with the guild's own style through /imagine's memory."""
        services, actor, place, word = self.town.darkroom.services, person.actor, person.party.place, person.party.word
        request = PictureOrder(f"a {word} in the rain", lora_id=loras[0].id)
        await services.orders.accept(request, actor, channel=place)
        own = [style for style in await services.styles.of_guild(actor) if word in style.name]
        settings = GenerationSettings(negative=f"no {word}")
        partial = PartialOrder(
            f"{word} at night", frozenset({"lora", "style", "negative"}), style=own[0], settings=settings
        )
        await services.orders.order_with_defaults(partial, actor, channel=place)

    async def _count(self, table: sa.Table, whose: Person | Party, **values: Any) -> int:
        party = whose.party if isinstance(whose, Person) else whose
        wanted = [table.c.guild_id == party.guild.id, *(table.c[name] == value for name, value in values.items())]
        if isinstance(whose, Person):
            wanted.append(table.c.user_id == whose.member.id)
        async with self.town.darkroom.database.read() as connection:
            statement = sa.select(sa.func.count()).select_from(table).where(*wanted)
            return int((await connection.execute(statement)).scalar_one())

    async def _next_id(self, table: sa.Table) -> int:
        async with self.town.darkroom.database.read() as connection:
            return int((await connection.execute(sa.select(sa.func.max(table.c.id)))).scalar_one() or 0)
