"""The sandbox's little world: who lives there, and that it reads nothing and calls nobody outside."""

import shutil
from pathlib import Path

import pytest

from bot.sandbox.world import REHEARSAL_CREDITS, REHEARSAL_KEY, LoopbackCdn, open_world


@pytest.fixture
def folder(tmp_path: Path, migrated_file: Path) -> Path:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data" / "darkroom.db")
    return tmp_path


async def test_an_admin_and_two_members_share_a_channel(folder: Path) -> None:
    async with open_world(folder) as world:
        assert [member.name for member in (world.admin, *world.members)] == ["Ada", "Ben", "Cleo"]
        assert "keys set" in world.admin.available_commands(world.channel)
        assert "keys set" not in world.members[0].available_commands(world.channel)
        assert "train" in world.members[0].available_commands(world.channel)
        assert world.provider.credits_of(REHEARSAL_KEY) == REHEARSAL_CREDITS


async def test_settings_of_the_environment_do_not_reach_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_APIFRAME_URL", "https://api.example")
    monkeypatch.setenv("DARKROOM_DATA_DIR", str(folder / "elsewhere"))
    monkeypatch.setenv("DARKROOM_MASTER_KEY", "not a key")
    async with open_world(folder) as world:
        assert world.provider.base_url.startswith("http://127.0.0.1:")
        shown = await world.members[0].slash(world.channel, "about")
        assert shown.response is not None
    assert not (folder / "elsewhere").exists()


async def test_what_is_kept_survives_closing_and_opening_it_again(folder: Path) -> None:
    async with open_world(folder) as world:
        guild_id = world.guild.id
        await world.darkroom.services.guilds.choose_gallery(guild_id, world.channel.id)
        chosen = world.channel.id
    async with open_world(folder) as world:
        kept = await world.darkroom.services.guilds.get(guild_id)
        assert kept is not None
        assert kept.gallery_channel_id == chosen


async def test_messages_carry_the_time_of_day_and_photos_an_address_on_loopback(folder: Path) -> None:
    async with open_world(folder) as world:
        message = await world.members[0].send(world.channel, "look", attachments=[("a.jpg", b"bytes")])
        assert message.attachments[0].url.startswith("http://127.0.0.1:")
        assert isinstance(world.env.backend.cdn, LoopbackCdn)
        assert abs((message.created_at - world.env.now()).total_seconds()) < 60
