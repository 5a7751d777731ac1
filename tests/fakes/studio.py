"""All services and lanes, put together as bot/app.py does it, on a manual clock and the rehearsal providers."""

import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from bot.clock import Timings
from bot.generation.order import PictureOrder
from bot.photos.hosts import TrustedHosts
from bot.photos.intake import Fetcher, Spool
from bot.photos.pool import PhotoPool
from bot.photos.room import Room
from bot.providers.apiframe import client as apiframe
from bot.providers.aurous import client as aurous_client
from bot.providers.aurous.limits import AurousLimits
from bot.providers.base import ProviderClient
from bot.providers.transport import Transport
from bot.records.doubt import ANSWERS, pause_of
from bot.records.generation import Generation, GenerationSettings
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.records.training import Training, TrainingStatus
from bot.resources import Connect
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.apiframe.state import RehearsalLora, RehearsalTimings
from bot.sandbox.aurous.server import RehearsalAurous
from bot.services import build_lanes, build_services
from bot.storage import meta
from bot.storage.database import Database
from bot.storage.due import Claim, LeaseLost
from bot.storage.jobs import loras
from tests.fakes.clock import ManualClock
from tests.fakes.due_reader import DueReader
from tests.fakes.members import FakeMembers
from tests.fakes.poster import FakePoster
from tests.fakes.resources import resources
from tests.fakes.row_access import RowAccess
from tests.fakes.rows import ADMIN, ANNA, CHANNEL, GUILD, add_dataset, add_lora, add_photos, photo
from tests.fakes.small_pictures import paint_small
from tests.fakes.unlimited import set_unlimited_key
from tests.fakes.venue import FakeVenue

KEY, NEXT_KEY, OTHER_KEY, POOR_KEY = (
    "afk_studio_key_0001",
    "afk_studio_key_0002",
    "afk_other_key_00001",
    "afk_poor_key_000001",
)
ACCOUNTS = {KEY: 100_000, NEXT_KEY: 0, OTHER_KEY: 100_000, POOR_KEY: 100}
TEAMS = {KEY: "Studio", NEXT_KEY: "Studio", OTHER_KEY: "Others", POOR_KEY: "Poor"}
AUROUS_KEY, OTHER_AUROUS_KEY = "al_live_" + "a1" * 32, "al_live_" + "b2" * 32
AUROUS_ACCOUNTS = {AUROUS_KEY: 1000, OTHER_AUROUS_KEY: 1000}
AUROUS_TEAMS = {AUROUS_KEY: "Studio", OTHER_AUROUS_KEY: "Others"}
MASTER_KEY = b"m" * 32
PROVIDER = ProviderName.APIFRAME
TRAINS_IN = timedelta(minutes=20)
REHEARSAL_TIMINGS = RehearsalTimings(pending_s=30, uploading_s=60, training_s=1100, image_queue_s=1, image_work_s=5)
ROUNDS_MAX = 200

Advance = Callable[[Claim[Any]], Awaitable[None]]


class Studio(RowAccess):
    """The services and lanes, and the fakes and rehearsals below them. `public_url` None: no webhook address is sent.

    `below` is what of the resources has to be closed after the test.
    """

    def __init__(
        self,
        folder: Path,
        server: RehearsalApiframe,
        aurous: RehearsalAurous,
        clock: ManualClock,
        *,
        due: DueReader,
        database: Database,
        spool: Spool,
        **below: Any,
    ) -> None:
        self.folder, self.server, self.aurous, self.clock, self.spool = folder, server, aurous, clock, spool
        self.poster, self.members, self.venue = FakePoster(clock), FakeMembers(), FakeVenue()
        self.public_url: str | None = None
        self._due = due
        self.opened = resources(
            database,
            spool,
            clock,
            prices={PROVIDER: apiframe.PRICES, ProviderName.AUROUS: aurous_client.PRICES},
            webhook_url=self._webhook_url,
            public_url=lambda: self.public_url,
            poster=self.poster,
            members=self.members,
            venue=self.venue,
            timings=Timings(),
            **below,
        )
        services = build_services(self.opened)
        super().__init__(**{field.name: getattr(services, field.name) for field in fields(services)})
        self.lanes = {LaneName(lane.name): (lane.rows, lane.advance) for lane in build_lanes(self.opened, services)}

    def _webhook_url(self, job: Training | Generation) -> str | None:
        return None if self.public_url is None else f"{self.public_url}/webhooks/{job.provider}/{job.webhook_token}"

    async def claim(self, lane: LaneName, owner: str = "studio", limit: int = 100) -> list[Claim[Any]]:
        now = self.clock.now()
        return await self.lanes[lane][0].claim(owner=owner, now=now, until=now + self.timings.lease, limit=limit)

    async def step(self, lane: LaneName, claim: Claim[Any]) -> None:
        """One step as the engine runs it: a lost lease drops it."""
        with contextlib.suppress(LeaseLost):
            await self.lanes[lane][1](claim)

    async def work(self, *lanes: LaneName) -> int:
        """One step for every row of these lanes (default: all) that is due now; how many steps."""
        steps = 0
        for lane in lanes or tuple(self.lanes):
            if not self._due.is_due(self.lanes[lane][0], self.clock.now()):
                continue
            for claim in await self.claim(lane):
                await self.step(lane, claim)
                steps += 1
        return steps

    async def settle(self, *lanes: LaneName) -> None:
        """Work until nothing is due at this moment."""
        for _ in range(ROUNDS_MAX):
            if not await self.work(*lanes):
                return
        raise AssertionError("the rows never come to rest")

    async def pass_time(self, step: timedelta, *lanes: LaneName) -> None:
        self.clock.advance(step)
        await self.settle(*lanes)

    async def outlast(self, span: timedelta, *lanes: LaneName) -> None:
        """Let a doubt's span pass, and a little more, in the steps in which it asks again."""
        for _ in range(ANSWERS):
            await self.pass_time(pause_of(span), *lanes)

    async def outlast_settling(self) -> None:
        """After an order of unknown outcome: wait as long as the first search for it does, then until it is over."""
        await self.pass_time(self.timings.settle)
        await self.outlast(self.timings.settle)

    async def set_key(self, api_key: str = KEY, *, guild_id: int = GUILD) -> int:
        return (await set_unlimited_key(self, guild_id, PROVIDER, api_key, set_by=ADMIN)).row.id

    async def dataset(self, *, user_id: int = ANNA, guild_id: int = GUILD, count: int = 15, **changes: Any) -> int:
        """A dataset whose photos lie in the spool, as if they had been taken in."""
        dataset_id = await add_dataset(
            self.database,
            user_id=user_id,
            guild_id=guild_id,
            created_at=self.clock.now(),
            due_at=self.clock.now() + self.timings.photos_kept,
            **changes,
        )
        photos = []
        for number in range(1, count + 1):
            file = self.spool.new_name(".jpg")
            content = tiny_jpeg(number)
            self.spool.path(file).write_bytes(content)
            photos.append(photo(number, dataset_id, file=file, size=len(content)))
        await add_photos(self.database, photos)
        return dataset_id

    async def start(self, dataset_id: int, *, user_id: int = ANNA, guild_id: int = GUILD) -> Training:
        return await self.trainings.start(dataset_id, Actor(guild_id, user_id), channel=Channel(CHANNEL))

    async def begin(self, *, user_id: int = ANNA, guild_id: int = GUILD) -> Training:
        """A started training with photos of its own; the guild has a key already."""
        return await self.start(
            await self.dataset(user_id=user_id, guild_id=guild_id), user_id=user_id, guild_id=guild_id
        )

    async def trained(self, *, user_id: int = ANNA, guild_id: int = GUILD) -> Lora:
        """A LoRA, trained from the first photo to the last step."""
        training = await self.begin(user_id=user_id, guild_id=guild_id)
        await self.settle()
        await self.pass_time(TRAINS_IN)
        lora_id = (await self.training(training.id)).lora_id
        assert lora_id is not None
        async with self.database.read() as connection:
            lora = await loras.get(connection, lora_id)
        assert lora is not None
        return lora

    async def lora(self, *, api_key: str = KEY, guild_id: int = GUILD, user_id: int = ANNA) -> Lora:
        """A LoRA that is ready, here and at the provider, without the way there."""
        made = self.team_lora(f"Rex ·ready{len(self.server.loras) + 1}", api_key=api_key)
        made.trigger_word = "TORKPN"
        lora_id = await add_lora(
            self.database, 1000 + made.number, remote_id=made.id, guild_id=guild_id, owner_id=user_id
        )
        return await self.loras.get_for(lora_id, Actor(guild_id, user_id))

    def team_lora(self, name: str = "Rex", *, api_key: str = KEY) -> RehearsalLora:
        """A LoRA that is ready at the provider, of which nothing is known here."""
        source = self.folder / f"source-{len(self.server.loras) + 1}.jpg"
        source.write_bytes(tiny_jpeg(len(self.server.loras) + 1))
        return self.server.add_trained(api_key, name, [source])

    async def order(self, lora: Lora, prompt: str = "in a forest", **settings: Any) -> Generation:
        """An order of the LoRA's owner."""
        order = PictureOrder(prompt, GenerationSettings(**settings), lora.id)
        accepted = await self.orders.accept(order, Actor(lora.guild_id, lora.owner_id), channel=Channel(CHANNEL))
        return accepted.generation

    def files(self) -> list[str]:
        """What lies in the spool."""
        return sorted(path.name for path in self.spool.path(self.spool.new_name()).parent.iterdir())

    def charges(self, what: str) -> int:
        return sum(entry.what == what for entry in self.server.ledger)

    def finish_at_provider(self, request_id: str) -> None:
        """End one training at the provider now, whatever the others do."""
        lora = self.server.loras[request_id]
        lora.status, lora.trigger_word = "READY", "TORKPN"


@contextlib.asynccontextmanager
async def open_studio(
    folder: Path,
    database_url: str,
    clock: ManualClock | None = None,
    *,
    extra_hosts: Sequence[str] = ("127.0.0.1",),
) -> AsyncIterator[Studio]:
    """`extra_hosts` may hold files like Discord's; the providers' own servers always may."""
    clock = clock or ManualClock()
    async with contextlib.AsyncExitStack() as stack:
        server = RehearsalApiframe(folder / "rehearsal", ACCOUNTS, REHEARSAL_TIMINGS, now=clock, teams=TEAMS)
        aurous = RehearsalAurous(folder / "aurous", AUROUS_ACCOUNTS, now=clock, teams=AUROUS_TEAMS)
        for rehearsal in (server, aurous):
            await rehearsal.start()
            stack.push_async_callback(rehearsal.close)
            paint_small(rehearsal)
        transport = await stack.enter_async_context(Transport())
        hosts = TrustedHosts.of([server.base_url, aurous.base_url], extra_hosts)
        spool = Spool(folder / "spool")
        pool = PhotoPool(spool, workers=2)
        stack.callback(pool.close)
        database = await stack.enter_async_context(Database(database_url))
        await database.write(lambda connection: meta.put_once(connection, meta.IDENTITIES, b"i" * 32))
        yield Studio(
            folder,
            server,
            aurous,
            clock,
            due=stack.enter_context(contextlib.closing(DueReader(database_url))),
            database=database,
            spool=spool,
            room=Room(folder / "spool", floor=0),
            fetcher=await stack.enter_async_context(Fetcher(hosts)),
            pool=pool,
            transport=transport,
            connect=connecting(transport, server, aurous, clock),
        )


def connecting(transport: Transport, server: RehearsalApiframe, aurous: RehearsalAurous, clock: ManualClock) -> Connect:
    limits = AurousLimits(clock)

    def connect(provider: ProviderName, api_key: str) -> ProviderClient:
        if provider is ProviderName.AUROUS:
            return aurous_client.Aurous(transport, aurous.base_url, api_key, limits)
        return apiframe.Apiframe(transport, server.base_url, api_key)

    return connect


def tiny_jpeg(number: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (24, 16), (number * 37 % 256, number * 91 % 256, 120)).save(out, "JPEG")
    return out.getvalue()


IN_FLIGHT = [status.value for status in TrainingStatus if status.is_in_flight]
