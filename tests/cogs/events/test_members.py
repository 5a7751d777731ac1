"""What members do in an event: give photos, say yes or no to photos of them, make pictures, enter one, vote."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import simcord
import sqlalchemy as sa
from simcord.components import walk_components
from simcord.results import InteractionResult, ResponseMessage

from bot.events.photos.consent_texts import consent_sentence, depicted_sentence
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode, EventStatus
from bot.records.guild import Place, PlaceKind
from bot.records.post import PostKind
from bot.storage import tables
from bot.storage.events import entrants
from bot.storage.events.tables import depictions
from bot.storage.jobs import posts
from cogs.events.buttons import TOO_LATE
from cogs.events.member.ballot import COPY_BYTES
from cogs.events.posts import render_event_post
from tests.cogs.events.event_actions import (
    admin,
    controls_of,
    give,
    move,
    open_event,
    press,
    private_message,
    question_to,
)
from tests.cogs.simulated_guild import (
    TEXT_DISPLAY,
    Message,
    Stage,
    answer_to,
    blurry,
    board_of,
    buttons_of,
    kind_of,
    photos,
    pictures_in,
    text_of,
    tree_of,
    until,
)
from tests.events.ballot.ballots import World as BallotWorld
from tests.fakes.rows import add_post
from tests.photos.sample_photos import encode, noise

S = EventStatus
STRING_SELECT = 3
KEPT = timedelta(hours=72)


async def ballot_of(stage: Stage, event: Event) -> discord.Message:
    return await stage.post_of(PostKind.EVENT_BALLOT, event.id)


async def panel_of(stage: Stage, event: Event) -> discord.Message:
    return await stage.post_of(PostKind.EVENT_PANEL, event.id)


def said_in(opened: InteractionResult) -> str:
    assert opened.modal is not None
    return "\n".join(part["content"] for part in opened.modal["components"] if part["type"] == TEXT_DISPLAY)


async def count_photos(stage: Stage) -> int:
    async with stage.world.darkroom.database.read() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(tables.photos))).scalar_one())


async def join(stage: Stage, event: Event, *members: simcord.MemberActor) -> None:
    async def transaction(connection: Any) -> None:
        for member in members:
            now = datetime.now(UTC)
            await entrants.join(connection, event_id=event.id, guild_id=event.guild_id, user_id=member.id, now=now)

    await stage.world.darkroom.database.write(transaction)


def selects_of(message: Message) -> list[str]:
    return [part["custom_id"] for part in walk_components(tree_of(message)) if part.get("type") == STRING_SELECT]


def options_of(message: Message) -> list[str]:
    selects = [part for part in walk_components(tree_of(message)) if part.get("type") == STRING_SELECT]
    return [option["value"] for select in selects for option in select["options"]]


async def test_photos_are_given_from_the_panel_and_named_with_what_is_said_of_them(keyed: Stage) -> None:
    event = await open_event(keyed, photo_cap=5)
    panel = await panel_of(keyed, event)
    opened = await keyed.ben.click(panel, label="Give photos")
    assert said_in(opened) == consent_sentence(event, KEPT)
    upload, who, box = controls_of(opened)
    files = [*photos(3), ("dim.jpg", blurry())]
    answer = board_of(await keyed.ben.submit_modal(opened, {upload: files, who: [], box: True}))
    text = text_of(answer)
    assert "### Your photos in **Mascot days**\nThank you! 4 photos received and checked." in text
    assert "**4 of 5** usable photos; 1 more fits." in text
    assert "**photo-1.jpg**" in text
    assert "⚠️ 4. **dim.jpg**" in text
    assert pictures_in(answer) == ["Contact sheet of 4 photos, numbered as in the list below."]
    edited = await keyed.posted("**4 photos**, 4 usable")
    assert edited.id == panel.id
    assert "**1** taking part" in text_of(edited)


async def test_nothing_is_downloaded_without_consent_and_it_is_asked_once_more(keyed: Stage) -> None:
    event = await open_event(keyed)
    asked = await give(keyed, keyed.ben, event, photos(2), consent=False)
    assert "Nothing has been downloaded yet." in answer_to(asked)
    assert consent_sentence(event, KEPT) in answer_to(asked)
    assert await count_photos(keyed) == 0
    agreed = board_of(await keyed.ben.click(board_of(asked), label="I agree, add my photos"))
    assert "2 photos received" in text_of(agreed)
    assert await count_photos(keyed) == 2


async def test_a_persons_form_asks_what_the_provider_needs_and_the_consent_after_it(keyed: Stage) -> None:
    event = await open_event(keyed, EventMode.PERSONAL, SubjectKind.PERSON)
    opened = await press(keyed, keyed.ben, event, "give")
    *uploads, gender, ethnicity, _ = controls_of(opened)
    assert len(opened.modal["components"] if opened.modal else []) <= 5
    values = {uploads[0]: photos(1), gender: ["non-binary"], ethnicity: "Mixed"}
    asked = await keyed.ben.submit_modal(opened, values)
    assert await count_photos(keyed) == 0
    assert consent_sentence(event, KEPT) in answer_to(asked)
    agreed = await keyed.ben.click(board_of(asked), label="I agree, add my photos")
    assert "1 photo received" in answer_to(agreed)


async def test_an_entrant_says_the_age_on_a_page_of_its_own_and_never_one_below_18(keyed: Stage) -> None:
    """Mutant: an age that is stored without being checked goes to the provider."""
    event = await open_event(keyed, EventMode.PERSONAL, SubjectKind.PERSON)
    early = answer_to(await press(keyed, keyed.ben, event, "about"))
    assert early == TOO_LATE
    upload, *_, gender, ethnicity, _ = controls_of(opened := await press(keyed, keyed.ben, event, "give"))
    values = {upload: photos(1), gender: ["male"], ethnicity: "Mixed"}
    asked = await keyed.ben.submit_modal(opened, values)
    card = board_of(await keyed.ben.click(board_of(asked), label="I agree, add my photos"))
    form = await keyed.ben.click(card, label="About the person")
    assert "18 or older" in answer_to(await keyed.submit_fields(keyed.ben, form, ["male"], "Mixed", "17"))
    form = await keyed.ben.click(card, label="About the person")
    told = await keyed.submit_fields(keyed.ben, form, ["female"], "Mixed", "early 30s")
    assert "About the person: female, **Mixed**, **early 30s**. Only you see this" in answer_to(told)
    assert "About the person" not in buttons_of(board_of(await press(keyed, keyed.cleo, event, "mine")))


async def test_photos_beyond_the_cap_are_not_kept_and_a_full_member_gets_no_form(keyed: Stage) -> None:
    event = await open_event(keyed, photo_cap=3)
    early = await press(keyed, keyed.ben, event, "give")
    assert "1 more fits" in answer_to(await give(keyed, keyed.ben, event, photos(2)))
    upload, _, box = controls_of(early)
    late = answer_to(await keyed.ben.submit_modal(early, {upload: photos(3, first=3), box: True}))
    assert "1 photo received and checked. 2 photos did not fit any more and were not kept." in late
    assert await count_photos(keyed) == 3
    refused = await press(keyed, keyed.ben, event, "give")
    assert refused.modal is None
    assert "as many as fit" in answer_to(refused)


async def test_nobody_picks_photos_that_could_not_be_taken(keyed: Stage) -> None:
    role = keyed.world.guild.create_role("Artists")
    event = await open_event(keyed, role_ids=frozenset({role.id}))
    refused = await press(keyed, keyed.ben, event, "give")
    assert f"one of these roles: <@&{role.id}>" in answer_to(refused)
    later = await open_event(keyed)
    await move(keyed, later, S.REVIEWING)
    assert "over" in answer_to(await press(keyed, keyed.ben, later, "give"))


async def test_own_photos_are_taken_out_one_by_one(keyed: Stage) -> None:
    event = await open_event(keyed)
    await give(keyed, keyed.ben, event, photos(3))
    card = board_of(await press(keyed, keyed.ben, event, "mine"))
    assert "**3 of" in text_of(card)
    left = board_of(await keyed.ben.select(card, options_of(card)[:2], custom_id=selects_of(card)[0]))
    assert "2 photos removed and deleted." in text_of(left)
    assert "**photo-3.jpg**" in text_of(left)
    assert await count_photos(keyed) == 1
    assert "**0 of" in text_of(board_of(await press(keyed, keyed.cleo, event, "mine")))


async def test_withdrawing_asks_once_and_deletes_everything(keyed: Stage) -> None:
    event = await open_event(keyed)
    await give(keyed, keyed.ben, event, photos(3))
    asked = await press(keyed, keyed.ben, event, "leave")
    assert "Your photos are deleted now" in answer_to(asked)
    assert await count_photos(keyed) == 3
    done = await keyed.ben.click(board_of(asked), label="Withdraw for good")
    assert "You have withdrawn from **Mascot days**." in answer_to(done)
    assert await count_photos(keyed) == 0


async def test_the_rules_are_for_whoever_asks(keyed: Stage) -> None:
    event = await open_event(keyed, photo_cap=5)
    text = answer_to(await press(keyed, keyed.cleo, event, "rules"))
    assert "**From the host:** “Be kind”" in text
    assert "up to 5 each" in text
    assert "Everybody has one vote" in text


async def test_a_named_member_says_yes_privately_and_can_change_their_mind(keyed: Stage) -> None:
    event = await open_event(keyed)
    given = answer_to(await give(keyed, keyed.ben, event, photos(2), seen=[keyed.cleo]))
    assert f"Asked whether they agree: <@{keyed.cleo.id}>" in given
    asked = await question_to(keyed.cleo)
    assert "**Mascot days** in **Photo club**" in text_of(asked)
    assert depicted_sentence(event, KEPT) in text_of(asked)
    await keyed.restart()
    said = answer_to(await keyed.cleo.user.click(asked, label="Yes, that is fine"))
    assert "may be used" in said
    await until(lambda: "You said yes" in text_of(keyed.cleo.user.dm_channel.history()[0]))
    answered = await question_to(keyed.cleo)
    assert list(buttons_of(answered)) == ["No, remove them"]
    assert "deleted" in answer_to(await keyed.cleo.user.click(answered, label="No, remove them"))
    assert await count_photos(keyed) == 0
    await until(lambda: "are gone" in text_of(keyed.cleo.user.dm_channel.history()[0]))
    assert PostKind.DEPICTION not in map(kind_of, keyed.posts())


async def test_photos_of_me_lists_the_questions_of_this_member_alone(keyed: Stage) -> None:
    event = await open_event(keyed)
    await give(keyed, keyed.ben, event, photos(2), seen=[keyed.cleo])
    assert "Nobody has named you" in answer_to(await press(keyed, keyed.ada, event, "seen"))
    listed = board_of(await press(keyed, keyed.cleo, event, "seen"))
    assert f"Given by <@{keyed.ben.id}>" in text_of(listed)
    answered = board_of(await keyed.cleo.click(listed, label="No, remove them"))
    assert "you said no, and they are gone." in text_of(answered)
    assert await count_photos(keyed) == 0
    assert "said no" not in answer_to(await press(keyed, keyed.ben, event, "mine"))


async def test_nobody_answers_for_somebody_else(keyed: Stage) -> None:
    event = await open_event(keyed)
    await give(keyed, keyed.ben, event, photos(2), seen=[keyed.cleo])
    async with keyed.world.darkroom.database.read() as connection:
        depiction_id = (await connection.execute(sa.select(depictions.c.id))).scalar_one()
    for member in (keyed.ben, keyed.ada):
        for action in ("yes", "no"):
            pressed = await keyed.press_id(member, f"dr:depict:{action}:{depiction_id}")
            assert "nothing left to answer" in answer_to(pressed)
    assert await count_photos(keyed) == 2


async def test_buttons_of_an_event_do_nothing_in_another_server(keyed: Stage) -> None:
    event = await open_event(keyed)
    guild = keyed.world.env.create_guild(name="Other club")
    cleo = guild.add_member(keyed.cleo.user)
    channel = guild.create_text_channel("darkroom")
    for action in ("give", "mine", "join", "leave", "rules", "make", "enter", "vote", "seen", "status", "book"):
        pressed = await keyed.press_id(cleo, f"dr:event:{action}:{event.id}", channel)
        assert pressed.modal is None
        assert "no such event" in answer_to(pressed).lower()


async def make(stage: Stage, member: simcord.MemberActor, event: Event, prompt: str) -> discord.Message:
    """Make a picture and wait until its maker has it, in a private message."""
    opened = await press(stage, member, event, "make")
    accepted = answer_to(await member.submit_modal(opened, {controls_of(opened)[0]: prompt}))
    assert "**Accepted #" in accepted
    assert "1 of 2 pictures left for you" in accepted
    return await private_message(member, prompt)


async def club(stage: Stage) -> Event:
    """A style club with one LoRA that Ben and Cleo have joined."""
    fox = await stage.give_lora(stage.ada, "Fox")
    event = await open_event(stage, EventMode.CLUB, lora_ids=[fox.id], pictures_each=2)
    for member in (stage.ben, stage.cleo):
        assert "You take part in **Mascot days**." in answer_to(await press(stage, member, event, "join"))
    return event


async def open_ballot(stage: Stage, event: Event) -> None:
    """Collecting ends now; the engine opens the ballot."""
    await stage.world.darkroom.services.events.close(event.id, admin(stage))


async def test_a_picture_is_made_and_entered_and_only_its_maker_sees_it(keyed: Stage) -> None:
    """Mutant: without `_places` of generations it is posted in the channel with the name of its maker."""
    event = await club(keyed)
    told = await make(keyed, keyed.ben, event, "a fox on the moon")
    assert list(buttons_of(told)) == [
        "Enter in event",
        "Show it in the channel",
        "Save original",
        "Delete",
        "I am in this",
    ]
    assert "until the votes are counted" in answer_to(await keyed.ben.user.click(told, label="Show it in the channel"))
    assert "Entered." in answer_to(await keyed.ben.user.click(told, label="Enter in event"))
    assert all("moon" not in text_of(message) for message in keyed.posts())
    assert keyed.ada.user.dm_channel.history() == keyed.cleo.user.dm_channel.history() == []
    chosen = board_of(await press(keyed, keyed.ben, event, "enter"))
    assert pictures_in(chosen)[0].startswith("AI-generated picture 1 of 1")
    assert "Entered." in answer_to(await keyed.ben.click(chosen, custom_id=next(iter(buttons_of(chosen).values()))))
    assert "no finished picture" in answer_to(await press(keyed, keyed.cleo, event, "enter"))


async def test_a_form_with_several_loras_asks_which(keyed: Stage) -> None:
    fox, owl = await keyed.give_lora(keyed.ada, "Fox"), await keyed.give_lora(keyed.ada, "Owl")
    event = await open_event(keyed, EventMode.CLUB, lora_ids=[fox.id, owl.id])
    await join(keyed, event, keyed.ben)
    opened = await press(keyed, keyed.ben, event, "make")
    prompt, choice = controls_of(opened)
    accepted = answer_to(await keyed.ben.submit_modal(opened, {prompt: "at night", choice: ["1"]}))
    assert "with **Owl**" in accepted


async def test_who_does_not_take_part_makes_no_picture_for_the_event(keyed: Stage) -> None:
    fox = await keyed.give_lora(keyed.ada, "Fox")
    event = await open_event(keyed, EventMode.CLUB, lora_ids=[fox.id])
    opened = await press(keyed, keyed.ben, event, "make")
    refused = await keyed.ben.submit_modal(opened, {controls_of(opened)[0]: "x"})
    assert "take part" in answer_to(refused)
    assert keyed.charges() == []


async def voting(stage: Stage) -> Event:
    event = await club(stage)
    await make(stage, stage.ben, event, "a fox on the moon")
    await make(stage, stage.cleo, event, "a fox at sea")
    await open_ballot(stage, event)
    return event


async def number_of(pages: ResponseMessage, start: str) -> str:
    """The label of the first button that begins so."""
    return next(label for label in buttons_of(pages) if label.startswith(start))


async def check_numbers(stage: Stage, event: Event) -> None:
    """That the number of each entry is drawn on the copy that is posted."""
    services = stage.world.darkroom.services
    async with services.database.read() as connection:
        post = await posts.find(connection, PostKind.EVENT_BALLOT, event.id)
    assert post is not None
    _, files = await render_event_post(services, post, guild_name="", is_private=False)
    entries = await services.ballots.shown(event.id)
    paths = [(picture.file, entry.position) for entry in entries for picture in entry.pictures]
    assert [data for _, data in files] == [
        await services.pool.smaller_copy(path, COPY_BYTES, number) for path, number in paths if path is not None
    ]


async def test_a_ballot_is_held_without_names_and_its_winner_announced(keyed: Stage) -> None:
    event = await voting(keyed)
    ballot = await ballot_of(keyed, event)
    assert sorted(pictures_in(ballot)) == [f"AI-generated picture, entry number {number}" for number in (1, 2)]
    for secret in (keyed.ben.mention, keyed.cleo.mention, "moon", "at sea"):
        assert secret not in text_of(ballot) + "".join(pictures_in(ballot))
    await check_numbers(keyed, event)
    pages = board_of(await keyed.ben.click(ballot, label="Look closely and vote"))
    assert "You have not voted yet." in text_of(pages)
    others = set(buttons_of(pages)) - {"Your own entry", "I am in this", "Report"}
    assert others in ({"Vote for number 1"}, {"Vote for number 2"})
    chosen = await number_of(pages, "Vote for number")
    voted = board_of(await keyed.ben.click(pages, label=chosen))
    assert f"Your vote is for **{chosen.removeprefix('Vote for ')}**." in text_of(voted)
    assert f"Your vote: {chosen.removeprefix('Vote for ')}" in buttons_of(voted)
    assert "1 vote" not in text_of(await ballot_of(keyed, event))
    await keyed.world.darkroom.services.events.close(event.id, admin(keyed))
    won = await keyed.posted("🏆 **Mascot days**")
    assert f"🥇 <@{keyed.cleo.id}> · 1 vote" in text_of(won)
    assert pictures_in(won)[0].startswith("AI-generated picture 1 of 1: ")
    assert "I am in this" in buttons_of(won)
    await until(lambda: any("ballot of **Mascot days** is over" in text_of(message) for message in keyed.posts()))
    over = await keyed.posted("is over\n")
    assert {f"<@{each.id}>" for each in (keyed.ben, keyed.cleo)} == set(re.findall(r"<@\d+>", text_of(over)))
    assert pictures_in(over) == pictures_in(ballot)
    edits = [
        sent.json for sent in keyed.world.env.http_requests if sent.method == "PATCH" and str(over.id) in sent.path
    ]
    listed = [(edit or {}).get("attachments") for edit in edits]
    assert listed == [[{"id": file.id, "filename": file.filename} for file in ballot.attachments]]
    assert "Vote" not in "".join(buttons_of(over))
    assert "over" in answer_to(await press(keyed, keyed.cleo, event, "vote"))


async def test_who_is_seen_in_an_entry_says_so_on_the_ballot_and_its_lora_rests(keyed: Stage) -> None:
    """Mutant: without the button there, the picture has to be found among all others first."""
    event = await voting(keyed)
    pages = board_of(await keyed.ben.click(await ballot_of(keyed, event), label="Look closely and vote"))
    asked = await keyed.ben.click(pages, label="I am in this")
    assert "Can **you** be seen" in answer_to(asked)
    assert "It rests from now on" in answer_to(await keyed.ben.click(board_of(asked), label="Yes, I am in this"))
    assert "You have said so already" in answer_to(await keyed.ben.click(pages, label="I am in this"))


async def test_a_vote_can_be_changed_and_survives_a_restart(keyed: Stage) -> None:
    event = await voting(keyed)
    ballot = await ballot_of(keyed, event)
    pages = board_of(await keyed.ada.click(ballot, label="Look closely and vote"))
    await keyed.ada.click(pages, label="Vote for number 1")
    await keyed.restart()
    again = board_of(await press(keyed, keyed.ada, event, "vote"))
    assert "Your vote is for **number 1**." in text_of(again)
    changed = board_of(await keyed.ada.click(again, label="Vote for number 2"))
    assert "Your vote is for **number 2**." in text_of(changed)
    assert "Vote for number 1" in buttons_of(changed)


async def many_entries(stage: Stage, count: int) -> Event:
    """A ballot of so many pictures, without the way there."""
    services, guild_id = stage.world.darkroom.services, stage.world.guild.id
    world = BallotWorld(services.database, services.pool._spool)
    event = await world.event(guild_id=guild_id, channel_id=stage.channel.id, host_id=stage.ada.id)
    for user_id in range(1000, 1000 + count):
        await world.join(event, user_id)
        (picture_id,) = await world.picture(event, user_id, guild_id=guild_id)
        found = await services.pictures.find_by_picture(picture_id)
        assert found is not None
        path = found[0].view.files[0]
        assert path is not None
        path.write_bytes(encode(noise(300, 200, user_id), "PNG"))
    await services.ballots.open_ballot(event)
    now = datetime.now(UTC)
    return await world.move(event, S.VOTING, opened_at=now, stage_ends_at=now + timedelta(hours=1))


async def test_more_pictures_than_a_message_takes_come_as_one_sheet_and_page_by_page(keyed: Stage) -> None:
    event = await many_entries(keyed, 12)
    place = Place(PlaceKind.CHANNEL, keyed.channel.id)
    about = {"kind": PostKind.EVENT_BALLOT, "user_id": keyed.ada.id}
    await add_post(
        keyed.world.darkroom.database, event.id, guild_id=event.guild_id, places=[place], now=datetime.now(UTC), **about
    )
    ballot = await ballot_of(keyed, event)
    assert pictures_in(ballot) == ["AI-generated pictures: contact sheet of 12 numbered entries."]
    seen: list[str] = []
    pages = board_of(await keyed.cleo.click(ballot, label="Look closely and vote"))
    while True:
        seen += pictures_in(pages)
        if "More" not in buttons_of(pages):
            break
        pages = board_of(await keyed.cleo.click(pages, label="More"))
    assert seen == [f"AI-generated picture, entry number {number}" for number in range(1, 13)]
    voted = board_of(await keyed.cleo.click(pages, label="Vote for number 12"))
    assert "Your vote: number 12" in buttons_of(voted)
    assert "Page 3 of 3" in text_of(voted)
