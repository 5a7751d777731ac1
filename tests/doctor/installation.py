"""An installation to be examined: both rehearsal providers, a stand-in for Discord, a data folder, nothing outside."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.app import assemble
from bot.config import Settings
from bot.doctor import network
from bot.doctor.checkup import examine
from bot.doctor.findings import Finding
from bot.records.key import ProviderName
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.aurous.server import RehearsalAurous
from tests.fakes.sockets import free_port
from tests.wire.discord.standin import DiscordStandin
from tests.wire.discord.world import BOT_PERMISSIONS, Channel, Guild, Permit

APIFRAME_KEY, AUROUS_KEY = "afk_doctor_key_0001", "al_live_" + "d0" * 32
KEYS = {ProviderName.APIFRAME: APIFRAME_KEY, ProviderName.AUROUS: AUROUS_KEY}


@dataclass
class Installation:
    folder: Path
    standin: DiscordStandin
    apiframe: RehearsalApiframe
    aurous: RehearsalAurous
    guild: Guild
    gallery: Channel
    changed: dict[str, Any] = field(default_factory=dict)
    """Settings that are not those of an installation in which all is well."""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def settings(self) -> Settings:
        usual: dict[str, Any] = {
            "discord_token": SecretStr(self.standin.token),
            "darkroom_data_dir": self.data,
            "darkroom_listen": ("127.0.0.1", self.port),
            "darkroom_public_url": f"http://127.0.0.1:{self.port}",
            "darkroom_apiframe_url": self.apiframe.base_url,
            "darkroom_aurous_url": self.aurous.base_url,
            "darkroom_contact": "keeper@darkroom.example",
            "darkroom_trusted_hosts": (),
        }
        return Settings.model_construct(**usual | self.changed)

    def __post_init__(self) -> None:
        self.port = free_port()

    async def furnish(self) -> None:
        """A start, in which an admin has stored both keys and chosen a gallery."""
        async with assemble(self.settings) as darkroom:
            for provider, key in KEYS.items():
                await darkroom.services.keys.set(self.guild.id, provider, key, set_by=1)
            await darkroom.services.guilds.choose_gallery(self.guild.id, self.gallery.id)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A Darkroom whose listener works; its gateway is not connected."""
        async with assemble(self.settings) as darkroom:
            await darkroom.web.start()
            yield

    async def examine(self) -> dict[str, list[Finding]]:
        """By what was looked at."""
        found: dict[str, list[Finding]] = {}
        for each in await examine(self.settings):
            found.setdefault(each.name, []).append(each)
        return found

    async def only(self, name: str) -> Finding:
        (found,) = (await self.examine())[name]
        return found


@contextlib.asynccontextmanager
async def open_installation(
    folder: Path, standin: DiscordStandin, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Installation]:
    """Discord's file hosts are left out: their names are those of the world outside."""
    monkeypatch.setattr(network, "DISCORD_HOSTS", frozenset())
    apiframe = RehearsalApiframe(folder / "apiframe", {APIFRAME_KEY: 1000})
    aurous = RehearsalAurous(folder / "aurous", {AUROUS_KEY: 1000})
    await apiframe.start()
    await aurous.start()
    try:
        guild = standin.world.add_guild("Photo club", BOT_PERMISSIONS | Permit.CREATE_EVENTS)
        gallery = standin.world.add_channel(guild, "gallery")
        yield Installation(folder, standin, apiframe, aurous, guild, gallery)
    finally:
        await apiframe.close()
        await aurous.close()


def snapshot(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, tuple[int, int, str]]:
    """Each file and folder with its mode, the time of its last change and its content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.name.endswith(without) or not without:
            state = path.stat()
            content = "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(folder))] = (state.st_mode, state.st_mtime_ns, content)
    return found
