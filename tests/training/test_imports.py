"""LoRAs of the team get an owner once, and none that is or was somebody's, here or in another server."""

import asyncio
import functools
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NoKey, NotAllowed, UserError
from bot.moderation.texts import REFUSED
from bot.records.dataset import ConsentKind, SubjectKind
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.sandbox.apiframe.state import RehearsalLora
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import policy_tables, tables
from bot.storage.people import erasure
from bot.training import imports
from bot.training.imports import ImportOrder
from bot.training.lifecycle import marker_of
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import KEY, NEXT_KEY, OTHER_KEY, TRAINS_IN, Studio

ADA, ELSEWHERE = Actor(GUILD, ADMIN, is_admin=True), Actor(OTHER_GUILD, BEN, is_admin=True)


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def listed(studio: Studio, actor: Actor = ADA) -> tuple[list[str], int]:
    found = await studio.imports.found(actor)
    return [each.remote_id for each in found.loras], found.left_out


async def give(
    studio: Studio,
    made: RehearsalLora,
    to: int = ANNA,
    actor: Actor = ADA,
    *,
    name: str = "Rex",
    agreed: bool = True,
    here: int | None = CHANNEL,
) -> Lora:
    return await studio.imports.give(ImportOrder(made.id, name, to, agreed), actor, here)


async def is_refused(studio: Studio, made: RehearsalLora, sentence: str, **how: Any) -> None:
    before = await studio.everything()
    with pytest.raises(UserError, match=sentence[:40]):
        await give(studio, made, **how)
    assert await studio.everything() == before


async def test_every_page_is_read_and_the_ready_ones_are_listed_newest_first(
    keyed: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.apiframe.client.PAGE_SIZE", 2)
    made = [keyed.team_lora(f"Fox {number}") for number in range(5)]
    made[1].status, made[2].status, made[3].name = "TRAINING", "ARCHIVED", "Owl"
    made[3].subject_kind = "person"
    found = await keyed.imports.found(ADA)
    assert [(each.remote_id, each.name, each.subject_kind) for each in found.loras] == [
        (made[4].id, "Fox 4", SubjectKind.OBJECT),
        (made[3].id, "Owl", SubjectKind.PERSON),
        (made[0].id, "Fox 0", SubjectKind.OBJECT),
    ]
    assert found.left_out == 0


async def test_its_owner_makes_pictures_with_it_and_is_told_and_nothing_is_paid(keyed: Studio) -> None:
    made = keyed.team_lora()
    keyed.clock.advance(timedelta(days=3))
    lora = await give(keyed, made, name="  Little   fox ")
    assert (lora.owner_id, lora.name, lora.trigger_word, lora.cost) == (ANNA, "Little fox", made.trigger_word, None)
    assert lora.created_at == made.created_at
    assert keyed.server.ledger == []
    (told,) = await keyed.posts_of(PostKind.LORA_IMPORTED)
    assert (told.user_id, told.places) == (ANNA, (Place(PlaceKind.USER, ANNA), Place(PlaceKind.CHANNEL, CHANNEL)))
    assert await listed(keyed) == ([], 1)
    generation = await keyed.order(lora)
    await keyed.settle()
    assert (await keyed.generation(generation.id)).request_id is not None


async def test_who_said_that_all_agreed_is_kept_as_proof_and_in_the_log(keyed: Studio) -> None:
    lora = await give(keyed, keyed.team_lora())
    rows = await keyed.everything()
    (consent,) = rows["consents"]
    assert (consent["user_id"], consent["kind"], consent["photo_hashes"]) == (ADMIN, ConsentKind.IMPORT, ())
    assert consent["wording"] == f"{imports.AGREED} (Apiframe's LoRA {lora.remote_id})"
    entry = rows["moderation_log"][-1]
    about = f"LoRA #{lora.id}, imported from Apiframe"
    assert (entry["user_id"], entry["member_id"], entry["about"]) == (ADMIN, ANNA, about)


async def test_an_owner_who_cannot_see_the_channel_is_told_privately_only(keyed: Studio) -> None:
    await give(keyed, keyed.team_lora(), here=None)
    (told,) = await keyed.posts_of(PostKind.LORA_IMPORTED)
    assert told.places == (Place(PlaceKind.USER, ANNA),)


async def test_an_admin_who_takes_it_needs_not_be_told(keyed: Studio) -> None:
    lora = await give(keyed, keyed.team_lora(), to=ADMIN)
    assert lora.owner_id == ADMIN
    assert await keyed.posts_of(PostKind.LORA_IMPORTED) == []


async def test_a_second_press_gives_the_same_lora_and_two_admins_at_once_give_it_once(keyed: Studio) -> None:
    made = keyed.team_lora()
    first, second = await asyncio.gather(give(keyed, made), give(keyed, made))
    assert first == second
    assert len(await keyed.posts_of(PostKind.LORA_IMPORTED)) == 1
    await is_refused(keyed, made, f"This LoRA has an owner here already: <@{ANNA}>", to=BEN)


async def test_what_another_server_of_the_team_has_is_not_given_and_nothing_of_it_is_told(keyed: Studio) -> None:
    await keyed.set_key(NEXT_KEY, guild_id=OTHER_GUILD)
    made = keyed.team_lora()
    theirs = await give(keyed, made, to=BEN, actor=ELSEWHERE)
    assert await listed(keyed) == ([], 1)
    await is_refused(keyed, made, imports.NOT_TO_GIVE)
    await keyed.loras.archive(theirs.id, Actor(OTHER_GUILD, BEN))
    await is_refused(keyed, made, imports.NOT_TO_GIVE)


async def test_another_teams_lora_cannot_be_had_by_its_id(keyed: Studio) -> None:
    await is_refused(keyed, keyed.team_lora(api_key=OTHER_KEY), imports.NOT_TO_GIVE)
    assert await listed(keyed) == ([], 0)


async def test_a_training_under_way_is_nobody_elses_although_the_provider_has_it_ready(keyed: Studio) -> None:
    training = await keyed.begin()
    await keyed.settle()
    keyed.clock.advance(TRAINS_IN)
    made = keyed.server.loras[(await keyed.training(training.id)).request_id or ""]
    assert await listed(keyed) == ([], 1)
    await keyed.change(tables.trainings, training.id, request_id=None)
    assert await listed(keyed) == ([], 1), "the answer to the order is missing: its marker stands in the name"
    await is_refused(keyed, made, imports.NOT_TO_GIVE, to=BEN)


@pytest.mark.parametrize("is_over", [False, True])
async def test_what_was_erased_is_never_offered_again(keyed: Studio, *, is_over: bool) -> None:
    lora = await keyed.trained()
    await keyed.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    if is_over:
        await keyed.settle()
    made = keyed.server.loras[lora.remote_id]
    made.status = "READY"
    assert await keyed.scalars(sa.select(tables.loras.c.id)) == []
    assert await listed(keyed) == ([], 1)
    await is_refused(keyed, made, imports.NOT_TO_GIVE, to=BEN)


@pytest.mark.parametrize("how", ["server left", "rows too old"])
async def test_what_a_darkroom_trained_is_not_offered_when_no_row_tells_whose_it_was(keyed: Studio, how: str) -> None:
    """Mutant: with the rows the knowledge is gone that somebody may have wanted it gone."""
    await keyed.set_key(NEXT_KEY, guild_id=OTHER_GUILD)
    lora = await keyed.trained()
    made = keyed.server.loras[lora.remote_id]
    if how == "server left":
        await keyed.database.write(lambda connection: erasure.erase_guild(connection, guild_id=GUILD))
    else:
        await keyed.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
        await keyed.settle()
        for table in (policy_tables.removals, tables.trainings):
            await keyed.database.write(functools.partial(_delete_all, table))
    made.status = "READY"
    assert marker_of(made.name) is not None
    assert await listed(keyed, ELSEWHERE) == ([], 1)
    await is_refused(keyed, made, imports.NOT_TO_GIVE, to=BEN, actor=ELSEWHERE)


async def _delete_all(table: sa.Table, connection: AsyncConnection) -> None:
    await connection.execute(sa.delete(table))


async def test_a_training_that_was_erased_before_it_had_an_answer_is_found_by_its_marker(keyed: Studio) -> None:
    training = await keyed.begin()
    await keyed.settle()
    made = keyed.server.loras[(await keyed.training(training.id)).request_id or ""]
    await keyed.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    (removal_id,) = await keyed.scalars(sa.select(policy_tables.removals.c.id))
    await keyed.change(policy_tables.removals, removal_id, remote_id=None)
    made.status = "READY"
    assert await listed(keyed) == ([], 1)
    await is_refused(keyed, made, imports.NOT_TO_GIVE, to=BEN)


async def test_erased_with_its_owner_it_is_removed_at_the_provider(keyed: Studio) -> None:
    made, other = keyed.team_lora(), keyed.team_lora("Owl")
    await give(keyed, made)
    await give(keyed, other)
    await keyed.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await keyed.settle()
    assert [each.status for each in (made, other)] == ["ARCHIVED", "ARCHIVED"]
    assert await keyed.scalars(sa.select(tables.consents.c.user_id)) == [ADMIN, ADMIN]


@pytest.mark.parametrize("status", ["TRAINING", "FAILED", "ARCHIVED"])
async def test_a_lora_that_changed_since_the_list_was_shown_is_not_given(keyed: Studio, status: str) -> None:
    made = keyed.team_lora()
    assert await listed(keyed) == ([made.id], 0)
    made.status = status
    await is_refused(keyed, made, imports.NOT_TO_GIVE)


@pytest.mark.parametrize(
    ("kind", "age", "name"), [("person", "16", "Mia"), ("person", "teen", "Mia"), ("person", None, "Mia, 12 years old")]
)
async def test_a_lora_of_somebody_under_18_is_not_offered_and_not_given(
    keyed: Studio, kind: str, age: str | None, name: str
) -> None:
    made = keyed.team_lora(name)
    made.subject_kind, made.age = kind, age
    assert await listed(keyed) == ([], 1)
    await is_refused(keyed, made, imports.NOT_TO_GIVE)


async def test_a_key_that_was_replaced_since_the_list_was_shown_gives_nothing_of_the_old_team(keyed: Studio) -> None:
    made = keyed.team_lora()
    await keyed.set_key(OTHER_KEY)
    assert await listed(keyed) == ([], 0)
    await is_refused(keyed, made, imports.NOT_TO_GIVE)


async def test_without_agreement_a_good_name_or_a_member_in_good_standing_nothing_is_given(keyed: Studio) -> None:
    made = keyed.team_lora()
    await is_refused(keyed, made, imports.NOT_AGREED, agreed=False)
    for name in ("", " ", "x" * 41):
        await is_refused(keyed, made, imports.BAD_NAME, name=name)
    moderator = Actor(GUILD, ADMIN, is_moderator=True)
    await keyed.moderation.set_words(moderator, "badger")
    await is_refused(keyed, made, REFUSED, name="b4dger")
    await keyed.moderation.block(moderator, ANNA)
    await is_refused(keyed, made, imports.BLOCKED)
    assert await keyed.scalars(sa.select(tables.loras.c.id)) == []


@pytest.mark.parametrize("actor", [Actor(GUILD, BEN), Actor(GUILD, BEN, is_moderator=True)])
async def test_only_admins_list_and_give(keyed: Studio, actor: Actor) -> None:
    made = keyed.team_lora()
    with pytest.raises(NotAllowed):
        await keyed.imports.found(actor)
    with pytest.raises(NotAllowed):
        await give(keyed, made, actor=actor)


async def test_no_key_an_outage_and_an_odd_answer_are_one_sentence(studio: Studio) -> None:
    with pytest.raises(NoKey, match="This server has no Apiframe key yet"):
        await studio.imports.found(ADA)
    await studio.set_key()
    made = studio.team_lora()
    odd = Fault.answer(200, body=b'{"items": [{"id": "a"}]}'), Fault.answer(200, body=b"<html>")
    for fault in (*odd, Fault.answer(503, body=b'{"error": "down"}')):
        for route, ask in (("GET /v2/loras", listed(studio)), ("GET /v2/loras/{id}", give(studio, made))):
            studio.server.faults.next(route, *[fault] * 3)
            with pytest.raises(UserError, match="Apiframe cannot be reached right now"):
                await ask


async def test_a_key_that_is_refused_is_said_and_doubted(keyed: Studio) -> None:
    keyed.server.faults.inactive_keys.add(KEY)
    with pytest.raises(UserError, match="Apiframe does not accept this key"):
        await keyed.imports.found(ADA)
    (doubt,) = await keyed.scalars(sa.select(tables.api_keys.c.doubt))
    assert doubt is not None
