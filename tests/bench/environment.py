"""A stand-in of Discord with a crowd in it, a rehearsal provider beside it, and a bot process connected to both."""

import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.app import Darkroom, assemble
from bot.config import Settings
from bot.records.key import ProviderName
from bot.sandbox.apiframe.server import RehearsalApiframe
from tests.bench.processes import Child, started
from tests.fakes.unlimited import set_unlimited_key
from tests.wire.discord.standin import DiscordStandin
from tests.wire.discord.world import Channel, Guild, Permit, Person

API_KEY = "afk_bench_0123456789abcdef"
START_S = 30.0
ACK_SECONDS = 60.0
"""Discord waits three; here a late answer is still taken, so that it is known how late it was."""

BotKind = Literal["darkroom", "bare"]


@dataclass(frozen=True, slots=True)
class Stage:
    standin: DiscordStandin
    provider: RehearsalApiframe
    guild: Guild
    channel: Channel
    crowd: list[Person]
    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @contextlib.asynccontextmanager
    async def prepared(self) -> AsyncIterator[Darkroom]:
        """A Darkroom that does not run, on the folder of the bot process: for filling the database beforehand."""
        settings = Settings.model_construct(
            darkroom_data_dir=self.data, darkroom_apiframe_url=self.provider.base_url, darkroom_listen=("127.0.0.1", 0)
        )
        async with assemble(settings) as darkroom:
            yield darkroom

    async def set_key(self, darkroom: Darkroom) -> int:
        """Give the guild an API key; the key's row id."""
        status = await set_unlimited_key(
            darkroom.services, self.guild.id, ProviderName.APIFRAME, API_KEY, set_by=self.crowd[0].id
        )
        return status.row.id

    @contextlib.asynccontextmanager
    async def bot(self, kind: BotKind, *, listen_port: int = 0) -> AsyncIterator[Child]:
        """The process, from its start on; see `wait_ready`."""
        task = {
            "bot": kind,
            "api": self.standin.api_url,
            "gateway": self.standin.gateway_url,
            "token": self.standin.token,
            "folder": str(self.data),
            "apiframe_url": self.provider.base_url,
            "photo_host": self.standin.cdn_url.removeprefix("http://").removesuffix("/cdn"),
            "listen_port": listen_port,
        }
        async with started("measured_bot", task, self.folder / f"{kind}.log") as child:
            yield child


async def wait_ready(child: Child) -> None:
    await child.says(START_S)


@contextlib.asynccontextmanager
async def set_stage(folder: Path, *, people: int) -> AsyncIterator[Stage]:
    standin = DiscordStandin()
    standin.interactions.ack_seconds = ACK_SECONDS
    guild = standin.world.add_guild("Photo club")
    channel = standin.world.add_channel(guild, "photos")
    crowd = [standin.world.add_person(f"member {number}") for number in range(people)]
    for person in crowd:
        standin.world.join(guild, person, Permit.MANAGE_GUILD if person is crowd[0] else 0)
    provider = RehearsalApiframe(folder / "provider", {API_KEY: 1_000_000_000})
    await standin.start()
    await provider.start()
    try:
        yield Stage(standin, provider, guild, channel, crowd, folder)
    finally:
        await provider.close()
        await standin.close()


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
