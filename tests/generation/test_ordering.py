"""Accepting orders over all providers: rights, price, what is remembered, and nothing paid for what is refused."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import NotFound, UserError
from bot.generation.order import DEFAULTS, PartialOrder, PictureOrder
from bot.records.generation import Generation, GenerationSettings, GenerationStatus, Operation, Remembered
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.lora import Audience, Lora
from bot.records.post import PostKind
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.jobs import generations, loras, sharing, styles
from bot.storage.jobs import remembered as remembered_rows
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import KEY, OTHER_KEY, PROVIDER, Studio
from tests.generation.picture_orders import (
    add_character,
    add_style,
    finish,
    orders,
    place,
    ready_pictures,
    set_aurous_key,
)

S = GenerationStatus
AUROUS = ProviderName.AUROUS
ANNA_HERE, BEN_HERE = Actor(GUILD, ANNA), Actor(GUILD, BEN)
HERE = Channel(CHANNEL)


async def nothing_stored(studio: Studio) -> bool:
    return await studio.scalars(sa.select(tables.generations.c.id)) == []


async def share_with_ben(studio: Studio, lora: Lora) -> None:
    await studio.database.write(
        lambda connection: sharing.share(connection, lora, Audience.MEMBER, BEN, by=ANNA, now=studio.clock.now())
    )


async def settings_of(studio: Studio, user_id: int = ANNA) -> Any:
    async with studio.database.read() as connection:
        return await remembered_rows.get(connection, GUILD, user_id)


async def partial(studio: Studio, text: str = "a fox", said: str = "", **changes: Any) -> Any:
    return await studio.orders.order_with_defaults(
        PartialOrder(text, frozenset(said.split()), **changes), ANNA_HERE, channel=HERE
    )


async def test_a_character_in_a_style_is_sent_to_aurous_labs_without_a_trigger_word(studio: Studio) -> None:
    await set_aurous_key(studio)
    lora_id, style_id = await add_character(studio), await add_style(studio)
    settings = GenerationSettings(count=2, aspect="21:9", size="2k", negative="rain", denoise=0.5, enhance=True)
    accepted = await place(studio, PictureOrder("by the  sea", settings, lora_id, style_id))
    assert (accepted.generation.estimate, accepted.balance) == (4, 1000)
    await studio.settle()
    await finish(studio)
    [image] = studio.aurous.images.values()
    assert image.order.prompt == "by the sea"
    assert (image.order.size_preset, image.order.count, image.order.denoise) == ("2k_21_9", 2, 0.5)
    assert (image.order.negative_prompt, image.order.enhance) == ("rain", True)
    assert image.character_name == "Mira"
    assert [style.id for style in image.styles] == [studio.aurous.styles[0].id]
    ended = await studio.generation(accepted.generation.id)
    assert (ended.status, ended.cost) == (S.READY, 4)
    assert studio.poster.kinds() == [PostKind.PICTURES]


async def test_without_lora_or_style_apiframe_makes_one_picture(studio: Studio, lora: Lora) -> None:
    accepted = await place(studio, PictureOrder("a fox", GenerationSettings(width=512, height=768, enhance=True)))
    await studio.settle()
    [job] = studio.server.jobs.values()
    assert job.order["model"] == "flux-2-dev"
    seed = accepted.generation.settings.seed
    expected = {"width": 512, "height": 768, "output_format": "png", "seed": seed, "prompt_upsampling": True}
    assert job.order["fluxParams"] == expected


@pytest.mark.parametrize("default", ProviderName)
async def test_the_servers_choice_decides_where_nothing_else_does(
    studio: Studio, lora: Lora, default: ProviderName
) -> None:
    await set_aurous_key(studio)
    await studio.guilds.choose_provider(GUILD, default)
    assert (await place(studio, PictureOrder("a fox"))).generation.provider is default
    other = next(provider for provider in ProviderName if provider is not default)
    assert (await place(studio, PictureOrder("a fox", provider=other))).generation.provider is other


async def test_the_estimate_and_the_balance_are_told_and_the_estimate_is_kept(studio: Studio, lora: Lora) -> None:
    accepted = await place(studio, PictureOrder("a fox", GenerationSettings(count=3), lora.id))
    assert (accepted.generation.estimate, accepted.balance) == (6, 100_000)
    assert (await studio.generation(accepted.generation.id)).estimate == 6


async def test_an_order_goes_on_when_the_price_is_not_known_just_now(studio: Studio) -> None:
    await set_aurous_key(studio)
    studio.aurous.faults.next("POST /v1/images/estimate", *[Fault.answer(503)] * 3)
    studio.aurous.faults.next("GET /v1/balance", *[Fault.answer(503)] * 3)
    accepted = await place(studio, PictureOrder("a fox"))
    assert (accepted.generation.estimate, accepted.balance) == (None, None)
    await studio.settle()
    assert (await studio.generation(accepted.generation.id)).status is S.SUBMITTED


async def test_what_the_estimate_refuses_is_never_ordered(studio: Studio) -> None:
    await set_aurous_key(studio)
    studio.aurous.faults.blocked_words.add("rude")
    with pytest.raises(UserError, match="word it differently"):
        await place(studio, PictureOrder("something rude"))
    assert await nothing_stored(studio)
    assert not studio.aurous.images


async def test_too_little_balance_at_aurous_labs_refuses_at_once(studio: Studio) -> None:
    await set_aurous_key(studio)
    studio.aurous.faults.answers.image_base = 300
    with pytest.raises(UserError, match=r"not have enough credits left. This takes 1200 credits. Ask an admin"):
        await place(studio, PictureOrder("a fox", GenerationSettings(count=4)))
    assert await nothing_stored(studio)


async def test_a_key_that_is_refused_while_pricing_is_paused_and_told_of(studio: Studio, lora: Lora) -> None:
    studio.server.faults.inactive_keys.add(KEY)
    ordered = await studio.order(lora)
    await studio.outlast(studio.timings.key_doubted)
    assert "does not accept" in ((await studio.generation(ordered.id)).error or "")
    assert sorted(studio.poster.kinds()) == [PostKind.KEY_PAUSED, PostKind.PICTURES_FAILED]
    with pytest.raises(UserError, match="does not accept"):
        await studio.order(lora)


@pytest.mark.parametrize("where", ["estimate", "order"])
async def test_a_character_that_aurous_labs_no_longer_has_is_marked_and_named(studio: Studio, where: str) -> None:
    await set_aurous_key(studio)
    lora_id = await add_character(studio)
    order = PictureOrder("a fox", lora_id=lora_id)
    if where == "estimate":
        studio.aurous.characters.clear()
        with pytest.raises(UserError, match=r"no longer has the character \*\*Mira\*\*"):
            await place(studio, order)
    else:
        accepted = await place(studio, order)
        studio.aurous.characters.clear()
        await studio.settle()
        ended = await studio.generation(accepted.generation.id)
        assert "no longer has the character **Mira**" in (ended.error or "")
        details = [entry.detail for entry in await timeline_of(studio, ended) if entry.what == "failed"]
        assert details[0].startswith("request req_")
    async with studio.database.read() as connection:
        marked = await loras.get(connection, lora_id)
    assert marked is not None
    assert marked.missing_since == studio.clock.now()
    with pytest.raises(UserError, match=r"no longer has \*\*Mira\*\*"):
        await place(studio, order)


async def timeline_of(studio: Studio, generation: Generation) -> Any:
    view = await studio.generations.view(generation.id)
    assert view is not None
    return view.timeline


async def test_the_providers_own_id_of_the_call_is_in_the_timeline(studio: Studio) -> None:
    await set_aurous_key(studio)
    accepted = await place(studio, PictureOrder("a fox"))
    await studio.settle()
    [image] = studio.aurous.images.values()
    [submitted] = [entry for entry in await timeline_of(studio, accepted.generation) if entry.what == "submitted"]
    assert submitted.detail == f"Aurous Labs id {image.id}, request {image.request_id}"


async def test_a_retired_style_is_said_before_the_order_and_before_its_turn(studio: Studio) -> None:
    await set_aurous_key(studio)
    style_id = await add_style(studio)
    accepted = await place(studio, PictureOrder("a fox", style_id=style_id))
    await studio.change(tables.styles, style_id, retired_at=studio.clock.now())
    await studio.settle()
    assert "no longer offers this style" in ((await studio.generation(accepted.generation.id)).error or "")
    with pytest.raises(UserError, match="no longer offers the style"):
        await place(studio, PictureOrder("a fox", style_id=style_id))
    assert not studio.aurous.images


async def test_things_of_another_guild_or_member_look_like_things_that_do_not_exist(studio: Studio, lora: Lora) -> None:
    await set_aurous_key(studio)
    style_id = await add_style(studio, guild_id=OTHER_GUILD)
    foreign = await studio.lora(api_key=OTHER_KEY, guild_id=OTHER_GUILD)
    said = []
    for lora_id in (lora.id, 999, foreign.id):
        with pytest.raises(NotFound) as hidden:
            await place(studio, PictureOrder("a fox", lora_id=lora_id), BEN)
        said.append(str(hidden.value))
    assert len(set(said)) == 1
    for absent_id in (style_id, 999):
        with pytest.raises(NotFound, match="no such style here"):
            await place(studio, PictureOrder("a fox", style_id=absent_id))
    assert await nothing_stored(studio)


async def test_a_shared_lora_can_be_used_by_whom_it_is_shared_with(studio: Studio, lora: Lora) -> None:
    await share_with_ben(studio, lora)
    assert (await place(studio, PictureOrder("a fox", lora_id=lora.id), BEN)).generation.user_id == BEN


async def test_what_was_left_out_is_as_last_time_and_said(studio: Studio, lora: Lora) -> None:
    await place(studio, PictureOrder("a fox", GenerationSettings(count=2, aspect="16:9", seed=7), lora.id))
    accepted = await partial(studio)
    assert accepted.taken_over == ("lora", "count", "aspect")
    assert accepted.lora == lora
    settings = accepted.generation.settings
    assert replace(settings, seed=None) == GenerationSettings(count=2, aspect="16:9")
    assert settings.seed != 7


async def test_what_was_said_replaces_last_times(studio: Studio, lora: Lora) -> None:
    await place(studio, PictureOrder("a fox", GenerationSettings(count=2, aspect="16:9"), lora.id))
    accepted = await partial(
        studio, said="lora aspect", settings=GenerationSettings(aspect="1:1", strength=0.5), lora=lora
    )
    assert accepted.taken_over == ("count",)
    assert accepted.generation.settings.aspect == "1:1"
    none = await partial(studio, said="lora count")
    assert (none.lora, none.taken_over) == (None, ("aspect",))


async def test_last_times_lora_is_dropped_when_it_does_not_go_with_what_is_said(studio: Studio, lora: Lora) -> None:
    await set_aurous_key(studio)
    style_id = await add_style(studio)
    await place(studio, PictureOrder("a fox", lora_id=lora.id))
    async with studio.database.read() as connection:
        style = await styles.get(connection, style_id)
    styled = await partial(studio, said="style", style=style)
    assert (styled.lora, styled.style) == (None, style)
    assert (await partial(studio)).style == style
    plain = await partial(studio, provider=ProviderName.APIFRAME)
    assert (plain.style, plain.generation.provider) == (None, ProviderName.APIFRAME)


async def test_a_lora_that_is_no_longer_mine_is_not_taken_over(studio: Studio, lora: Lora) -> None:
    await place(studio, PictureOrder("a fox", lora_id=lora.id))
    await studio.change(tables.loras, lora.id, archived_at=studio.clock.now())
    accepted = await partial(studio)
    assert (accepted.lora, accepted.taken_over) == (None, ())


async def test_what_the_kind_does_not_take_is_left_out_when_remembered_refused_when_said(
    studio: Studio, lora: Lora
) -> None:
    await set_aurous_key(studio)
    negative = GenerationSettings(negative="rain")
    await place(studio, PictureOrder("a fox", negative, provider=AUROUS))
    assert (await partial(studio, said="lora", lora=lora)).generation.settings.negative is None
    with pytest.raises(UserError, match="Leave `without` out"):
        await partial(studio, said="lora negative", lora=lora, settings=negative)


async def test_reset_starts_from_the_defaults_again(studio: Studio, lora: Lora) -> None:
    await place(studio, PictureOrder("a fox", GenerationSettings(count=2), lora.id))
    assert await studio.generations.forget_settings(ANNA_HERE)
    assert not await studio.generations.forget_settings(ANNA_HERE)
    accepted = await partial(studio)
    assert (accepted.lora, accepted.taken_over) == (None, ())
    assert replace(accepted.generation.settings, seed=None) == DEFAULTS


async def test_a_refused_order_is_not_remembered_and_neither_is_anothers(studio: Studio, lora: Lora) -> None:
    with pytest.raises(UserError):
        await place(studio, PictureOrder("a fox", GenerationSettings(negative="rain"), lora.id))
    assert await settings_of(studio) is None
    await place(studio, PictureOrder("a fox", GenerationSettings(count=2, seed=7), lora.id))
    assert await settings_of(studio) == Remembered(lora.id, None, GenerationSettings(count=2))
    assert await settings_of(studio, BEN) is None


async def test_again_is_the_same_order_with_a_new_seed_and_knows_where_it_came_from(studio: Studio, lora: Lora) -> None:
    first = await ready_pictures(studio, lora, count=2, strength=0.7, seed=7)
    second = (await studio.generations.again(first.id, ANNA_HERE, channel=HERE)).generation
    assert second.settings.seed != 7
    assert replace(second.settings, seed=7) == first.settings
    assert (second.prompt, second.lora_id, second.origin_id) == (first.prompt, first.lora_id, first.id)
    await studio.settle()
    assert studio.charges("images") == 2


async def test_a_variation_has_other_words_and_is_not_remembered(studio: Studio, lora: Lora) -> None:
    first = await ready_pictures(studio, lora, count=2)
    varied = await studio.generations.vary(
        first.id, "by the sea", ANNA_HERE, channel=HERE, settings=GenerationSettings(count=1, aspect="3:2")
    )
    assert varied.generation.prompt == "TORKPN by the sea"
    assert (varied.generation.settings.aspect, varied.generation.origin_id) == ("3:2", first.id)
    assert (await settings_of(studio)).settings.count == 2


async def test_others_may_repeat_posted_pictures_only_with_a_lora_they_may_use(studio: Studio, lora: Lora) -> None:
    posted = await ready_pictures(studio, lora)
    with pytest.raises(UserError, match="not shared with you"):
        await studio.generations.again(posted.id, BEN_HERE, channel=HERE)
    await share_with_ben(studio, lora)
    again = await studio.generations.again(posted.id, BEN_HERE, channel=HERE)
    assert (again.generation.user_id, again.generation.origin_id) == (BEN, posted.id)


async def test_pictures_that_were_not_posted_here_are_only_their_members(studio: Studio, lora: Lora) -> None:
    await share_with_ben(studio, lora)
    waiting = await studio.order(lora)
    posted = await ready_pictures(studio, lora)
    await studio.keys.set(OTHER_GUILD, PROVIDER, OTHER_KEY, set_by=ADMIN)
    picture_id = (await studio.scalars(sa.select(tables.pictures.c.id)))[0]
    await studio.change(tables.posts, 1, status="kept", message_id=None)
    await studio.change(tables.posts, 2, status="kept", message_id=None)
    for actor, generation_id in ((BEN_HERE, waiting.id), (BEN_HERE, posted.id), (Actor(OTHER_GUILD, ANNA), posted.id)):
        with pytest.raises(NotFound) as hidden:
            await studio.generations.again(generation_id, actor, channel=HERE)
        with pytest.raises(NotFound) as absent:
            await studio.generations.again(999, actor, channel=HERE)
        with pytest.raises(NotFound) as work:
            await studio.generations.edit(picture_id, Operation.UPSCALE_CLARITY, actor, channel=HERE)
        assert str(hidden.value) == str(absent.value) == str(work.value)
    await studio.change(tables.generations, posted.id, deleted_at=studio.clock.now())
    with pytest.raises(NotFound):
        await studio.generations.again(posted.id, ANNA_HERE, channel=HERE)


async def test_an_order_that_was_never_sent_is_cancelled_for_nothing(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    assert "cost nothing" in await studio.generations.cancel(ordered.id, ANNA_HERE)
    await studio.settle()
    await finish(studio)
    ended = await studio.generation(ordered.id)
    assert (ended.status, ended.error) == (S.FAILED, "You cancelled these pictures.")
    assert orders(studio) == 0
    assert studio.poster.kinds() == []
    assert (await studio.words(ordered))[-1] == "cancelled"


async def test_a_worker_that_holds_a_cancelled_order_does_not_pay_for_it(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    [claim] = await studio.claim(LaneName.GENERATIONS)
    await studio.generations.cancel(ordered.id, ANNA_HERE)
    await studio.step(LaneName.GENERATIONS, claim)
    assert orders(studio) == 0
    assert (await studio.generation(ordered.id)).status is S.FAILED


async def test_an_order_that_is_sent_while_it_is_being_cancelled_goes_on(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    await studio.settle()
    now = studio.clock.now()
    assert not await studio.database.write(
        lambda connection: generations.end_early(
            connection, ordered.id, from_=S.QUEUED, error="cancelled", now=now, due_at=now
        )
    )
    assert (await studio.generation(ordered.id)).status is S.SUBMITTED


async def test_a_sent_order_is_cancelled_at_aurous_labs_and_the_credits_come_back(studio: Studio) -> None:
    await set_aurous_key(studio)
    ordered = (await place(studio, PictureOrder("a fox"))).generation
    await studio.settle()
    assert "gives the credits back" in await studio.generations.cancel(ordered.id, ANNA_HERE)
    await studio.pass_time(timedelta(minutes=1))
    assert [image.status for image in studio.aurous.images.values()] == ["cancelled"]
    assert (await studio.generation(ordered.id)).status is S.FAILED
    assert studio.poster.kinds() == []


async def test_too_late_to_cancel_is_said(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    await studio.settle()
    with pytest.raises(UserError, match="cannot stop that any more"):
        await studio.generations.cancel(ordered.id, ANNA_HERE)
    await finish(studio)
    with pytest.raises(UserError, match="too late"):
        await studio.generations.cancel(ordered.id, ANNA_HERE)
    assert (await studio.generation(ordered.id)).status is S.READY


@pytest.mark.parametrize("actor", [BEN_HERE, Actor(OTHER_GUILD, ANNA)])
async def test_nobody_else_can_cancel(studio: Studio, lora: Lora, actor: Actor) -> None:
    ordered = await studio.order(lora)
    with pytest.raises(NotFound):
        await studio.generations.cancel(ordered.id, actor)
    assert (await studio.generation(ordered.id)).status is S.QUEUED


async def test_a_shared_lora_rests_while_its_owner_is_away(studio: Studio) -> None:
    """Who has left can take nothing back. Mutant: an order that never asks goes through."""
    await studio.set_key()
    lora = await studio.lora()
    await studio.sharing.share(lora.id, Audience.GUILD, None, Actor(GUILD, ANNA))
    order = PictureOrder("in a forest", GenerationSettings(), lora_id=lora.id)
    studio.members.gone.add((GUILD, ANNA))
    with pytest.raises(UserError, match="has left this server"):
        await studio.orders.accept(order, Actor(GUILD, BEN), channel=Channel(CHANNEL))
    studio.members.gone.clear()
    accepted = await studio.orders.accept(order, Actor(GUILD, BEN), channel=Channel(CHANNEL))
    assert accepted.generation.user_id == BEN
