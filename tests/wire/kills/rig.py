"""One bot to be killed: its Discord, its provider, its members, and the processes it lives in."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.records.post import PostKind
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.apiframe.state import RehearsalTimings
from tests.fakes.posted import card_ids, id_in
from tests.fakes.small_pictures import paint_small
from tests.fakes.waiting import HANG_S
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.standin import DiscordStandin
from tests.wire.discord.world import Channel, Permit
from tests.wire.kills.bot_process import KILLED, BotProcess, alive
from tests.wire.kills.killable_bot import VictimSettings
from tests.wire.kills.ledger import Promises, Verdict, judge, open_rows
from tests.wire.kills.persistent_member import Member, small_photos
from tests.wire.kills.points import read_deaths, read_points

API_KEY = "afk_rehearsal_kill_0001"
CREDITS = 10**9
TIMINGS = {
    "poll": 0.15,
    "generation_poll": 0.05,
    "generation_poll_max": 0.2,
    "settle": 0.6,
    "job_doubted": 0.8,
    "picture_doubted": 0.4,
    "key_doubted": 0.4,
    "backoff_first": 0.1,
    "backoff_max": 0.4,
    "busy": 0.2,
    "milestone": 0.1,
    "panel": 0.2,
    "event_retry": 0.3,
}
PROVIDER_TIMINGS = RehearsalTimings(
    pending_s=0.05, uploading_s=0.05, training_s=0.3, image_queue_s=0.03, image_work_s=0.03
)
PASSES_A_LIFE = 1000
"""Of points: how long a life waits for its end is counted in what it does, not in seconds."""
SAMPLES = "A first picture with each new LoRA"
KILLED_FOR_S = 600.0
"""A job goes through many lives in a campaign: only one that hangs takes longer."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Where or when a life ends: at the nth pass of any of these points, or so many seconds after it has connected."""

    at: tuple[str, ...] = ()
    nth: int = 1
    after_s: float = 0.0


@dataclass(eq=False)
class Rig:
    standin: DiscordStandin
    provider: RehearsalApiframe
    channel: Channel
    settings: VictimSettings
    host: Member = field(init=False)
    members: list[Member] = field(default_factory=list)
    promises: Promises = field(default_factory=Promises)
    lives: int = 0
    kills: int = 0
    is_ending: bool = False
    """Members finish what they have begun and begin nothing new."""

    @property
    def folder(self) -> Path:
        return Path(self.settings.folder)

    @property
    def points(self) -> set[str]:
        return read_points(self.folder)

    @property
    def points_hit(self) -> set[str]:
        return set(read_deaths(self.folder))

    @property
    def messages(self) -> list[StoredMessage]:
        world, store = self.standin.world, self.standin.messages
        return [message for channel in world.channels.values() for message in store.in_channel(channel)]

    async def furnish(self, kill: Kill | None = None, *, with_samples: bool = False) -> bool:
        """The host stores the server's key; False when `kill` came before it was saved."""
        settings = self.settings if kill is None else replace(self.settings, crash_at=kill.at, crash_nth=kill.nth)
        async with alive(settings) as life:
            saving = asyncio.ensure_future(self.save_key(with_samples=with_samples))
            ended = asyncio.ensure_future(life.ended.wait())
            await asyncio.wait({saving, ended}, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            is_saved = saving.done()
            if is_saved:
                saving.result()
            else:
                saving.cancel()
                self._count(life)
        self._bury()
        return is_saved

    async def save_key(self, *, with_samples: bool = False) -> None:
        """Until it is stored: a provider that is slower than the bot's patience is asked again.

        `with_samples`: a first picture follows each LoRA, as it does where nobody has chosen anything.
        """
        await self.standin.gateway.wait_connected()
        said = ""
        async with asyncio.timeout(HANG_S):
            while "Key saved" not in said:
                opened = await self.standin.slash(self.host.person, self.channel, "keys set", {"provider": "Apiframe"})
                await opened.responded()
                answer = await self.standin.submit_modal(opened, {"API key": API_KEY})
                said = (await answer.settled()).text
        cleared = await self.standin.slash(self.host.person, self.channel, "budget clear", {"who": "each member"})
        assert "limit" in (await cleared.settled()).text
        if not with_samples:
            shown = await (await self.standin.slash(self.host.person, self.channel, "settings")).settled()
            await self.standin.select(shown, SAMPLES, ["off"], user=self.host.person)
            await self.standin.until(lambda: f"**{SAMPLES}:** off" in shown.text, "the choice")

    async def live(self, kill: Kill, passes: int = PASSES_A_LIFE, seconds: float = HANG_S) -> bool:
        """One life that ends in a kill, at the latest after so many passes of points; whether it ended where meant.

        One in which nothing happens, as when somebody waits for an answer that Discord has lost, ends after `seconds`.
        """
        before = len(read_deaths(self.folder))
        settings = replace(self.settings, crash_at=kill.at, crash_nth=kill.nth, crash_after=passes if kill.at else 0)
        async with alive(settings) as life:
            await self._connected(life)
            await life.wait(seconds if kill.at else kill.after_s)
        self._count(life)
        self._bury()
        return not kill.at or len(read_deaths(self.folder)) > before

    async def finish(self, work: Sequence[asyncio.Task[None]], drain_s: float = KILLED_FOR_S) -> Verdict:
        """A last, undisturbed life until `work` is done and nothing is open any more; then the books are read."""
        self.is_ending = True
        async with alive(self.settings) as life:
            try:
                async with asyncio.timeout(drain_s):
                    await asyncio.gather(*work)
                    await until(lambda: not open_rows(self.database))
            except TimeoutError:
                pass  # the books show what is still open
            assert life.code is None, f"the bot ended by itself with {life.code}; see {self.folder}/bot.log"
        self._bury()
        verdict = judge(self.promises, self.provider, self.messages, self.database)
        for member in [*self.members, self.host]:
            verdict.unanswered += member.unanswered
        return verdict

    async def round(self, member: Member, name: str) -> None:
        """A training and a picture with it, each accepted, each awaited in the channel."""
        number = await member.train(name)
        self.promises.trainings[number] = name
        ready = await self.post(PostKind.TRAINING_READY, number, KILLED_FOR_S)
        pictures, prompt = await member.imagine(ready, f"{name} at the sea")
        self.promises.pictures[pictures] = prompt
        await self.post(PostKind.PICTURES, pictures, KILLED_FOR_S)

    async def post(self, kind: PostKind, number: int, seconds: float = HANG_S) -> StoredMessage:
        """Wait until this post stands somewhere."""
        found: list[StoredMessage] = []

        def look() -> bool:
            card = card_ids(self.database).get((kind, number))
            found[:] = [message for message in self.messages if card and id_in(message.components) == card]
            return bool(found)

        await self.standin.until(look, f"{kind} #{number}", seconds)
        return found[0]

    @property
    def database(self) -> Path:
        return self.folder / "data" / "darkroom.db"

    async def _connected(self, life: BotProcess) -> None:
        up = asyncio.ensure_future(self.standin.gateway.wait_connected())
        ended = asyncio.ensure_future(life.ended.wait())
        await asyncio.wait({up, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        up.cancel()

    def _count(self, life: BotProcess) -> None:
        assert life.code == KILLED, f"the bot ended by itself with {life.code}; see {self.folder}/bot.log"
        self.kills += 1

    def _bury(self) -> None:
        """The gateway forgets the dead; members notice that nobody will answer."""
        self.lives += 1
        self.standin.gateway.close_all(4009)
        self.standin.watch.changed()


async def until(is_so: Callable[[], object]) -> None:
    """For what announces itself to nobody: the provider's books and the bot's database. The caller sets the limit."""
    while not is_so():  # noqa: ASYNC110 - another process changes it
        await asyncio.sleep(0.02)


@asynccontextmanager
async def open_rig(folder: Path, *, members: int = 3, **more: Any) -> AsyncIterator[Rig]:
    """`more` replaces fields of the victim's settings."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    standin = DiscordStandin()
    provider = RehearsalApiframe(folder / "provider", {API_KEY: CREDITS}, PROVIDER_TIMINGS)
    paint_small(provider)
    await standin.start()
    await provider.start()
    try:
        rig = _assemble(folder, standin, provider, members)
        rig.settings = replace(rig.settings, **more)
        yield rig
        assert standin.unknown_routes == []
        assert [str(breach) for breach in standin.breaches] == []
    finally:
        await provider.close()
        await standin.close()
        # Files of requests that a kill cut off are closed here and not while the next test runs.
        gc.collect()


def _assemble(folder: Path, standin: DiscordStandin, provider: RehearsalApiframe, count: int) -> Rig:
    world = standin.world
    guild = world.add_guild("Photo club")
    channel = world.add_channel(guild, "photos")
    host = world.add_person("host")
    world.join(guild, host, Permit.MANAGE_GUILD)
    people = [world.add_person(f"member{number}") for number in range(count)]
    for person in people:
        world.join(guild, person)
    settings = VictimSettings(
        folder=str(folder),
        api_url=standin.api_url,
        gateway_url=standin.gateway_url,
        token=standin.token,
        apiframe_url=provider.base_url,
        timings=TIMINGS,
    )
    rig = Rig(standin, provider, channel, settings)
    rig.host = Member(standin, host, channel, small_photos(), lambda: rig.lives)
    for index, person in enumerate(people, start=1):
        rig.members.append(Member(standin, person, channel, small_photos(first=100 * index), lambda: rig.lives))
    return rig
