"""/loras import: what an admin sees, chooses and confirms, and what the new owner reads."""

from pathlib import Path

import sqlalchemy as sa

from bot.records.guild import Place, PlaceKind
from bot.records.post import PostKind
from bot.sandbox.apiframe.state import RehearsalLora
from bot.sandbox.world import REHEARSAL_KEY
from bot.storage.tables import posts
from bot.training.imports import NOT_AGREED
from cogs.loras.importing import NONE_LEFT, NOT_A_MEMBER
from tests.cogs.hostile_texts import MARK, SAMPLES
from tests.cogs.markdown import alive
from tests.cogs.private_channels import private_channel
from tests.cogs.private_messages import private
from tests.cogs.simulated_guild import Stage, answer_to, board_of, buttons_of, photo, text_of

IMPORTED = PostKind.LORA_IMPORTED


def add_team_loras(stage: Stage, folder: Path, *names: str) -> list[RehearsalLora]:
    source = folder / "source.jpg"
    source.write_bytes(photo(1))
    return [stage.world.provider.add_trained(REHEARSAL_KEY, name, [source]) for name in names]


async def test_an_admin_gives_a_lora_to_a_member_who_is_told_and_makes_a_picture(keyed: Stage, tmp_path: Path) -> None:
    add_team_loras(keyed, tmp_path, "Owl", "Harbour")
    panel = board_of(await keyed.use(keyed.ada, "loras import"))
    assert "2 LoRAs, newest first.\n1. **Harbour** · LoRA of a pet, object or place" in text_of(panel)
    opened = await keyed.ada.select(panel, ["0"])
    given = await keyed.submit_fields(keyed.ada, opened, [keyed.ben], "Old harbour", True)
    assert answer_to(given) == f"**Old harbour** is {keyed.ben.mention}'s now, who is told. It cost nothing."
    told = text_of(await private(keyed.ben, "A LoRA for you"))
    assert f"an admin of **{keyed.world.guild.name}** made you the owner of **Old harbour**." in told
    assert "**Old harbour**" in answer_to(await keyed.use(keyed.ben, "loras list"))
    panel = board_of(await keyed.use(keyed.ada, "loras import"))
    assert "1 LoRA, newest first.\n1. **Owl**" in text_of(panel)
    assert "1 of the team cannot be given" in text_of(panel)
    assert keyed.charges() == []
    assert "Accepted" in answer_to(await keyed.use(keyed.ben, "imagine", prompt="a pier", lora="Old harbour"))


async def test_without_the_tick_and_to_a_bot_nothing_is_given_and_a_second_try_works(
    keyed: Stage, tmp_path: Path
) -> None:
    add_team_loras(keyed, tmp_path, "Owl")
    panel = board_of(await keyed.use(keyed.ada, "loras import"))
    opened = await keyed.ada.select(panel, ["0"])
    assert answer_to(await keyed.submit_fields(keyed.ada, opened, [keyed.ben], "Owl", False)) == NOT_AGREED
    robot = keyed.world.guild.add_member(keyed.world.env.create_user("Robot", bot=True))
    opened = await keyed.ada.select(panel, ["0"])
    assert answer_to(await keyed.submit_fields(keyed.ada, opened, [robot], "Owl", True)) == NOT_A_MEMBER
    opened = await keyed.ada.select(panel, ["0"])
    assert "is yours now" in answer_to(await keyed.submit_fields(keyed.ada, opened, [keyed.ada], "Owl", True))


async def test_the_channel_tells_an_owner_who_can_see_it_and_nobody_else(keyed: Stage, tmp_path: Path) -> None:
    """Mutant: the news of a LoRA stands where its owner never reads it."""
    add_team_loras(keyed, tmp_path, "Owl", "Harbour")
    hidden = private_channel(keyed, keyed.ada, keyed.cleo)
    for member in (keyed.ben, keyed.cleo):
        opened = await keyed.ada.select(board_of(await keyed.use(keyed.ada, "loras import", hidden)), ["0"])
        await keyed.submit_fields(keyed.ada, opened, [member], "Owl", True)
    async with keyed.world.darkroom.database.read() as connection:
        places = [row.places for row in await connection.execute(sa.select(posts).where(posts.c.kind == IMPORTED))]
    privately = [Place(PlaceKind.USER, member.id) for member in (keyed.ben, keyed.cleo)]
    assert places == [(privately[0],), (privately[1], Place(PlaceKind.CHANNEL, hidden.id))]


async def test_a_long_list_has_pages(keyed: Stage, tmp_path: Path) -> None:
    add_team_loras(keyed, tmp_path, *(f"Fox {number}" for number in range(1, 28)))
    first = board_of(await keyed.use(keyed.ada, "loras import"))
    assert list(buttons_of(first)) == ["Older"]
    second = board_of(await keyed.ada.click(first, label="Older"))
    assert "26. **Fox 2**" in text_of(second)
    assert list(buttons_of(second)) == ["Newer"]
    opened = await keyed.ada.select(second, ["1"])
    assert "**Owl** is yours now" in answer_to(await keyed.submit_fields(keyed.ada, opened, [keyed.ada], "Owl", True))


async def test_only_admins_may_and_an_empty_team_says_how_to_begin(keyed: Stage) -> None:
    assert "**Manage Server**" in answer_to(await keyed.use(keyed.ben, "loras import"))
    assert NONE_LEFT in answer_to(await keyed.use(keyed.ada, "loras import"))


async def test_an_admin_who_is_demoted_before_sending_the_form_gives_nothing(keyed: Stage, tmp_path: Path) -> None:
    add_team_loras(keyed, tmp_path, "Owl")
    opened = await keyed.ada.select(board_of(await keyed.use(keyed.ada, "loras import")), ["0"])
    keyed.world.env.backend.get_guild(keyed.world.guild.id).members[keyed.ada.id].role_ids.clear()
    assert "Only admins" in answer_to(await keyed.submit_fields(keyed.ada, opened, [keyed.ada], "Owl", True))


async def test_a_hostile_name_at_the_provider_is_shown_harmlessly(keyed: Stage, tmp_path: Path) -> None:
    add_team_loras(keyed, tmp_path, *(sample[:60] for sample in SAMPLES[:25]))
    text = text_of(board_of(await keyed.use(keyed.ada, "loras import")))
    assert alive(text) == []
    assert MARK in text
