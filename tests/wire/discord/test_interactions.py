"""Interactions over real sockets: what people do arrives at discord.py, what it answers is kept."""

import math
from typing import Any

import discord
import pytest

from tests.wire.community import Community
from tests.wire.discord.interactions import CallbackKind
from tests.wire.discord.modals import NotSubmittable
from tests.wire.discord.probe import PNG, Probe
from tests.wire.discord.standin import DiscordStandin
from tests.wire.discord.world import Permit


async def test_a_deferred_command_is_answered_with_its_file_and_a_private_follow_up(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    handle = await standin.slash(
        community.member, community.photos, "answer", {"text": "done", "photo": ("cat.png", PNG)}
    )
    first = await handle.responded()
    assert first.kind is CallbackKind.DEFERRED_MESSAGE
    assert 0 < first.latency_seconds < math.inf
    message = await handle.settled()
    assert (message.content, [file.content for file in message.files]) == ("done", [PNG])
    assert not message.is_ephemeral
    (extra,) = await handle.followed_up()
    assert (extra.is_ephemeral, extra.files[0].name) == (True, "extra.png")
    assert standin.messages.in_channel(community.photos) == [message]


async def test_a_modal_takes_text_files_and_a_checkbox(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    opened = await standin.slash(community.member, community.photos, "form")
    await opened.responded()
    photos = [(f"{number}.png", PNG + bytes(number)) for number in range(3)]
    submitted = await standin.submit_modal(
        opened, {"Name": "Rex", "Photos": photos[:2], "More photos": photos[2:], "Consent": True}
    )
    message = await submitted.settled()
    assert message.content == f"Rex: {[len(content) for _, content in photos]}, True"
    assert message.is_ephemeral


@pytest.mark.parametrize(
    "values",
    [
        {"Photos": [("a.png", PNG)]},
        {"Name": "x" * 21, "Photos": [("a.png", PNG)]},
        {"Name": "Rex"},
        {"Name": "Rex", "Photos": [("a.png", PNG)] * 11},
    ],
)
async def test_a_modal_cannot_be_submitted_when_the_client_would_refuse(
    standin: DiscordStandin, community: Community, probe: Probe, values: dict[str, Any]
) -> None:
    opened = await standin.slash(community.member, community.photos, "form")
    await opened.responded()
    with pytest.raises(NotSubmittable):
        await standin.submit_modal(opened, values)


async def test_a_layout_shows_its_pictures_and_its_dynamic_button_works(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    handle = await standin.slash(community.member, community.photos, "board")
    message = await handle.settled()
    assert [file.content for file in message.files] == [PNG, PNG]
    assert (message.text, message.labels) == ("The board", ["Open 7"])
    payload = standin.messages.payload(message)
    assert payload["attachments"] == []
    shown = payload["components"][0]["components"][1]["items"][0]["media"]
    assert (shown["width"], shown["url"]) == (1, standin.files.url(message.files[0]))
    clicked = await standin.click(message, "Open 7")
    answer = await clicked.settled()
    assert (answer.content, answer.is_ephemeral) == ("row 7 opened", True)


async def test_an_ephemeral_answer_cannot_be_used_by_somebody_else(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    board = await (await standin.slash(community.member, community.photos, "board")).settled()
    board.flags |= 64
    with pytest.raises(LookupError, match="one person only"):
        await standin.click(board, "Open 7", user=community.guest)


async def test_a_message_command_sees_the_attachments_without_the_content_intent(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    message = standin.write(community.member, community.photos, "look", [("a.png", PNG), ("b.png", PNG)])
    handle = await standin.context_menu(message, "Count photos")
    assert (await handle.settled()).content == "2 photos"


async def test_autocomplete_offers_what_begins_like_the_typed_text(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    handle = await standin.autocomplete(community.member, community.photos, "paint", {"colour": "r"}, "colour")
    await handle.responded()
    assert [choice["value"] for choice in handle.choices] == ["red", "rust"]


async def test_a_subcommand_resolves_members_and_is_offered_to_hosts_only(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    options = {"who": community.guest, "times": 3}
    handle = await standin.slash(community.host, community.photos, "hosts greet", options)
    assert (await handle.settled()).content == "guest x3"
    with pytest.raises(NotSubmittable):
        await standin.slash(community.member, community.photos, "hosts greet", options)
    with pytest.raises(LookupError):
        await standin.slash(community.host, community.photos, "no such command")


async def test_an_answer_after_the_deadline_is_an_unknown_interaction(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    standin.interactions.ack_seconds = 0.0
    late = await standin.slash(community.member, community.photos, "twice")
    await standin.until(lambda: standin.calls[-1].status == 404, "the refusal")
    await probe.failed.wait()
    assert [getattr(error, "code", None) for error in probe.errors] == [10062]
    assert late.original_message is None
    assert late.latency_seconds == math.inf


async def test_a_second_answer_is_refused_as_already_acknowledged(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    handle = await standin.slash(community.member, community.photos, "twice")
    await handle.followed_up()
    url = f"{standin.api_url}/interactions/{handle.id}/{handle.token}/callback"
    async with probe.http._HTTPClient__session.post(url, json={"type": 5}) as answer:  # type: ignore[attr-defined]
        assert (answer.status, (await answer.json())["code"]) == (400, 40060)


async def test_an_expired_token_no_longer_edits(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    interactions: list[discord.Interaction] = []

    async def keep(interaction: discord.Interaction) -> None:
        interactions.append(interaction)

    probe.on_interaction = keep  # type: ignore[attr-defined]
    handle = await standin.slash(community.member, community.photos, "twice")
    await handle.followed_up()
    handle.expire()
    with pytest.raises(discord.HTTPException) as refused:
        await interactions[0].edit_original_response(content="too late")
    assert (refused.value.status, refused.value.code) == (401, 50027)
    standin.interactions.token_life_seconds = 0.0
    with pytest.raises(discord.HTTPException) as aged:
        await interactions[0].followup.send("too late")
    assert aged.value.code == 50027


async def test_a_burst_is_answered_and_measured(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    latencies = await standin.burst(standin.slash(community.member, community.photos, "twice") for _ in range(30))
    assert len(latencies) == 30
    assert all(0 < seconds < math.inf for seconds in latencies)
    assert await standin.burst([standin.slash(community.member, community.photos, "slow")], 0.05) == [math.inf]
    probe.held.set()


async def test_an_interaction_carries_what_discord_sends(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    seen: list[discord.Interaction] = []

    async def keep(interaction: discord.Interaction) -> None:
        seen.append(interaction)

    probe.on_interaction = keep  # type: ignore[attr-defined]
    community.member.upload_limit_bytes = 50_000_000
    await (await standin.slash(community.host, community.photos, "twice")).followed_up()
    await (await standin.slash(community.member, community.photos, "twice")).followed_up()
    first, second = seen
    assert first.permissions.manage_guild
    assert not second.permissions.manage_guild
    assert second.filesize_limit == 50_000_000
    assert first.app_permissions.attach_files
    assert first.context.guild
    assert first.is_guild_integration()
    standin.take_from_bot(community.photos, Permit.ATTACH_FILES)
    await (await standin.slash(community.host, community.photos, "twice")).followed_up()
    assert not seen[2].app_permissions.attach_files


async def test_a_choice_updates_the_private_message_it_was_made_in(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    message = await (await standin.slash(community.member, community.photos, "choose")).settled()
    chosen = await standin.select(message, "Colour", ["Blue"])
    await standin.until(lambda: message.content == "chose b", "the edit")
    assert (await chosen.responded()).kind is CallbackKind.DEFERRED_UPDATE
    assert chosen.original_message is message
    assert (message.components, message.is_ephemeral) == ([], True)
    assert standin.messages.in_channel(community.photos) == []


async def test_a_command_works_in_a_direct_message(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    conversation = standin.world.open_dm(community.member)
    handle = await standin.slash(community.member, conversation, "twice")
    await handle.followed_up()
    assert [message.content for message in standin.messages.in_channel(conversation)] == ["first", "second"]


async def test_follow_ups_and_the_original_can_be_read_edited_and_deleted(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    seen: list[discord.Interaction] = []

    async def keep(interaction: discord.Interaction) -> None:
        seen.append(interaction)

    probe.on_interaction = keep  # type: ignore[attr-defined]
    handle = await standin.slash(community.member, community.photos, "twice")
    (second,) = await handle.followed_up()
    followup = seen[0].followup
    assert (await followup.fetch_message(second.id)).content == "second"
    await followup.edit_message(second.id, content="second, corrected")
    assert second.content == "second, corrected"
    await followup.delete_message(second.id)
    original = await seen[0].original_response()
    assert original.interaction_metadata is not None
    assert original.interaction_metadata.user.id == community.member.id
    await original.delete()
    assert standin.messages.in_channel(community.photos) == []
    with pytest.raises(discord.NotFound):
        await seen[0].edit_original_response(content="gone")


async def test_a_file_above_the_interactions_limit_is_too_large(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    community.member.upload_limit_bytes = community.guild.upload_limit_bytes = len(PNG) - 1
    await standin.slash(community.member, community.photos, "board")
    await probe.failed.wait()
    assert [(getattr(e, "status", 0), getattr(e, "code", 0)) for e in probe.errors] == [(413, 40005)]
