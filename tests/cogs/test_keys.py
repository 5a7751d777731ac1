"""/keys: for admins only, through a form, and never shown again."""

import logging
from typing import Any

import pytest

from bot.records.key import ProviderName
from bot.sandbox.rehearsal.faults import Fault
from bot.sandbox.world import REHEARSAL_AUROUS_KEY, REHEARSAL_CREDITS, REHEARSAL_KEY
from tests.cogs.simulated_guild import Stage, answer_to, board_of, photos, until

NEEDS = "You need the **Manage Server** permission for this."


async def save(stage: Stage, key: str, provider: str = "apiframe") -> str:
    opened = await stage.use(stage.ada, "keys set", provider=provider)
    return answer_to(await stage.submit_fields(stage.ada, opened, key, None))


async def test_only_admins_see_the_commands(stage: Stage) -> None:
    names = {"keys set", "keys status", "keys remove", "keys default", "keys test"}
    assert names <= set(stage.ada.available_commands(stage.channel))
    assert not any(name.startswith("keys") for name in stage.ben.available_commands(stage.channel))


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("keys set", {"provider": "apiframe"}),
        ("keys status", {}),
        ("keys remove", {"provider": "apiframe"}),
        ("keys default", {"provider": "aurous"}),
        ("keys test", {}),
    ],
)
async def test_a_member_who_was_let_at_the_commands_is_still_refused(
    keyed: Stage, command: str, options: dict[str, Any]
) -> None:
    root = keyed.world.env.backend.find_command("keys", keyed.world.guild.id)
    assert root is not None
    keyed.world.guild.set_command_permissions(int(root["id"]), {keyed.ben: True})
    answered = await keyed.use(keyed.ben, command, **options)
    assert answered.modal is None
    assert answer_to(answered) == NEEDS
    assert await current(keyed)


async def test_a_key_is_checked_stored_and_shown_by_its_last_four_characters_only(stage: Stage) -> None:
    text = await save(stage, f"  {REHEARSAL_KEY} ")
    assert "Key saved" in text
    assert f"Apiframe key ending in `{REHEARSAL_KEY[-4:]}`" in text
    assert f"**{REHEARSAL_CREDITS} credits**" in text
    assert stage.ada.mention in text
    sealed = (stage.world.darkroom.services.datasets._spool._folder.parent / "darkroom.db").read_bytes()
    assert REHEARSAL_KEY.encode() not in sealed


async def test_a_key_the_provider_does_not_know_is_not_stored(stage: Stage) -> None:
    text = await save(stage, "afk_somebody_elses_key")
    assert text == "Apiframe does not accept this key. Check in your dashboard that it is active, then try again."
    assert not await current(stage)


@pytest.mark.parametrize("key", ["two words here", "schlüssel-123", "afk_tab\tinside"])
async def test_what_cannot_be_a_key_is_not_even_asked_about(stage: Stage, key: str) -> None:
    text = await save(stage, key)
    assert text == "That does not look like an API key. Copy it whole from your Apiframe dashboard."
    assert stage.world.provider.requests == []


@pytest.mark.parametrize(
    ("key", "provider", "other"),
    [(REHEARSAL_AUROUS_KEY, "apiframe", "Aurous Labs"), (REHEARSAL_KEY, "aurous", "Apiframe")],
)
async def test_a_key_of_the_other_provider_is_recognised_and_sent_nowhere(
    stage: Stage, key: str, provider: str, other: str
) -> None:
    text = await save(stage, key, provider)
    assert text == f"This looks like a key of {other}. Run `/keys set` again and choose {other}."
    assert stage.world.provider.requests == []
    assert stage.world.aurous.requests == []


async def test_the_form_shows_how_each_providers_keys_begin(stage: Stage) -> None:
    for provider, start in (("apiframe", "afk_…"), ("aurous", "al_live_…")):
        opened = await stage.use(stage.ada, "keys set", provider=provider)
        assert opened.modal is not None
        assert opened.modal["components"][0]["component"]["placeholder"] == start


async def test_both_providers_stand_in_one_card_with_their_own_balance(keyed: Stage) -> None:
    keyed.world.aurous.team_of(REHEARSAL_AUROUS_KEY).credits = 77
    await keyed.set_aurous_key()
    text = answer_to(await keyed.use(keyed.ada, "keys status"))
    assert f"Apiframe key ending in `{REHEARSAL_KEY[-4:]}`" in text
    assert f"Aurous Labs key ending in `{REHEARSAL_AUROUS_KEY[-4:]}`" in text
    assert f"**{REHEARSAL_CREDITS} credits**" in text
    assert "**77 credits**" in text
    assert "no endpoint registered; Darkroom asks by itself" in text


async def test_the_default_is_kept_shown_and_taken_back(keyed: Stage) -> None:
    await keyed.set_aurous_key()
    chosen = answer_to(await keyed.use(keyed.ada, "keys default", provider="aurous"))
    assert chosen == "Pictures without a LoRA, style or character are now made by Aurous Labs."
    assert "character: **Aurous Labs**" in answer_to(await keyed.use(keyed.ada, "keys status"))
    assert "no default any more" in answer_to(await keyed.use(keyed.ada, "keys default", provider="none"))
    assert "character: none" in answer_to(await keyed.use(keyed.ada, "keys status"))


async def test_a_provider_without_a_key_cannot_become_the_default(keyed: Stage) -> None:
    answered = answer_to(await keyed.use(keyed.ada, "keys default", provider="aurous"))
    assert answered == "This server has no Aurous Labs key yet. Run `/keys set` to give it one."
    assert "character: none" in answer_to(await keyed.use(keyed.ada, "keys status"))


async def test_the_webhook_test_without_a_public_address_says_that_nothing_is_missing(keyed: Stage) -> None:
    text = answer_to(await keyed.use(keyed.ada, "keys test"))
    assert "DARKROOM_PUBLIC_URL is not set" in text
    assert "nothing is missing" in text


async def test_the_webhook_test_goes_once_around_through_the_listener_of_the_running_bot(
    keyed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    darkroom = keyed.world.darkroom
    await darkroom.web.start()
    for service in (darkroom.services.reachability, darkroom.services.endpoints):
        monkeypatch.setattr(service, "_public_url", lambda: f"http://127.0.0.1:{darkroom.web.port}")
    await keyed.set_aurous_key()
    text = answer_to(await keyed.use(keyed.ada, "keys test"))
    assert "✅ A request to this address reaches Darkroom after" in text
    assert "✅ A signed delivery of Aurous Labs arrived after" in text
    assert "Apiframe has no test delivery. No delivery has come" in text
    assert "⚠️" not in text
    assert "endpoint registered, last delivery <t:" in answer_to(await keyed.use(keyed.ada, "keys status"))


async def test_a_provider_that_is_down_keeps_the_old_key_and_asks_to_try_again(keyed: Stage) -> None:
    keyed.world.provider.faults.next("GET /v2/me", *[Fault.answer(503)] * 3)
    assert await save(keyed, REHEARSAL_KEY) == (
        "Apiframe cannot be reached right now. Please try again in a few minutes."
    )
    assert await current(keyed)


async def test_status_without_a_key_says_how_to_store_one(stage: Stage) -> None:
    answered = answer_to(await stage.use(stage.ada, "keys status"))
    for label in ("Apiframe", "Aurous Labs"):
        assert f"There is no {label} key yet. `/keys set` stores one." in answered
    assert "Default for pictures without a LoRA, style or character: none" in answered


async def test_status_shows_balance_who_set_it_and_that_all_is_well(keyed: Stage) -> None:
    text = answer_to(await keyed.use(keyed.ada, "keys status"))
    assert f"**{REHEARSAL_CREDITS} credits**" in text
    assert f"Set by {keyed.ada.mention}" in text
    assert "0 trainings running" in text
    assert "No trouble so far." in text


async def test_status_while_the_provider_is_down_says_so(keyed: Stage) -> None:
    keyed.world.provider.faults.next("GET /v2/me", *[Fault.answer(503)] * 3)
    text = answer_to(await keyed.use(keyed.ada, "keys status"))
    assert "Balance: not known just now" in text
    assert "⚠️ Apiframe cannot be reached right now." in text


async def test_removing_a_key_nobody_uses_deletes_it(keyed: Stage) -> None:
    answered = answer_to(await keyed.use(keyed.ada, "keys remove", provider="apiframe"))
    assert answered == "The Apiframe key has been deleted."
    again = answer_to(await keyed.use(keyed.ada, "keys remove", provider="apiframe"))
    assert again == "There is no Apiframe key to remove."


async def test_removing_a_key_in_use_finishes_running_jobs_first(keyed: Stage) -> None:
    keyed.world.provider.faults.hold_trainings = True
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    await keyed.start(keyed.ben, board)
    await until(lambda: keyed.world.provider.loras)
    answered = answer_to(await keyed.use(keyed.ada, "keys remove", provider="apiframe"))
    assert "no longer used for anything new. 1 running job still needs it" in answered
    assert "no Apiframe key yet" in answer_to(await keyed.use(keyed.ben, "train", subject="object"))
    keyed.world.provider.faults.hold_trainings = False
    await keyed.posted("**Foxy** is ready")


async def test_a_key_refused_later_is_paused_and_its_admin_told_once(keyed: Stage) -> None:
    keyed.world.provider.faults.inactive_keys.add(REHEARSAL_KEY)
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    await keyed.start(keyed.ben, board)
    await until(lambda: "paused" in private_posts(keyed))
    assert f"key ending in `{REHEARSAL_KEY[-4:]}` any more" in private_posts(keyed)
    assert "⏸️ Paused" in answer_to(await keyed.use(keyed.ada, "keys status"))
    keyed.world.provider.faults.inactive_keys.clear()
    await save(keyed, REHEARSAL_KEY)
    await keyed.posted("**Foxy** is ready")
    assert private_posts(keyed).count("is paused") == 1


async def test_the_key_is_in_no_log_line(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="bot"), caplog.at_level(logging.DEBUG, logger="cogs"):
        await save(stage, REHEARSAL_KEY)
        await save(stage, "afk_somebody_elses_key")
    own = [record.getMessage() for record in caplog.records if record.name.startswith(("bot", "cogs"))]
    assert not any(REHEARSAL_KEY in line or "afk_somebody" in line for line in own)


def private_posts(stage: Stage) -> str:
    """What the admin was told in private messages, by the bot itself."""
    dm = stage.world.env.backend.dm_channels.get(stage.ada.id)
    sent = [body for path, body in stage.sent_messages() if dm is not None and path == f"/channels/{dm}/messages"]
    return str(sent)


async def current(stage: Stage) -> bool:
    return await stage.world.darkroom.services.keys.status(stage.world.guild.id, ProviderName.APIFRAME) is not None
