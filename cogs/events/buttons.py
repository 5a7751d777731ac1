"""The buttons of an event for members: panel, ballot, entries, and the question to those who were named in photos."""

from bot.client import DarkroomBot
from bot.errors import NotFound, UserError
from bot.events.photos.rules import check_may_give
from bot.records.event import DepictionStatus
from bot.records.guild import Actor
from bot.records.moderation import Purpose
from bot.text import quote
from cogs.events.host.actions import show_status
from cogs.events.member.ballot import show_voting
from cogs.events.member.depictions import seen_card
from cogs.events.member.giving import GiveForm
from cogs.events.member.photos import AboutForm, ask_to_leave, rules_card, show_mine
from cogs.events.member.pictures import MakeForm, show_choice, usable_things
from cogs.events.member.yearbook import send_yearbook
from cogs.events.texts import event_name
from cogs.loras.cards import name_of
from cogs.pictures.buttons import actor_for
from cogs.ui.buttons import after_defer
from cogs.ui.news_role import switch_news
from cogs.ui.replies import Interaction, actor_of, defer, open_form, say, show

NO_PICTURE = "This picture is not here any more. Please choose another one."
TOO_LATE = "These photos are in training already, or not here any more, so nothing can be changed about them."
ANSWERED = {
    DepictionStatus.CONFIRMED: "Thank you. These photos may be used; you can change your mind at any time.",
    DepictionStatus.VETOED: "Done. These photos are deleted, and nobody is told that it was you.",
}


async def press_give(interaction: Interaction, event_id: int) -> None:
    actor = actor_of(interaction)
    own = await interaction.client.services.contributions.mine(event_id, actor)
    check_may_give(own, actor)
    await open_form(interaction, GiveForm(own, interaction.client.services.timings.event_photos_kept))


async def press_about(interaction: Interaction, event_id: int) -> None:
    own = await interaction.client.services.contributions.mine(event_id, actor_of(interaction))
    if own.of_a_person is None:
        raise UserError(TOO_LATE)
    await open_form(interaction, AboutForm(own.event, own.of_a_person))


async def press_mine(interaction: Interaction, event_id: int) -> None:
    await defer(interaction)
    await show_mine(interaction, await interaction.client.services.contributions.mine(event_id, actor_of(interaction)))


async def press_join(interaction: Interaction, event_id: int) -> None:
    await defer(interaction)
    actor = actor_of(interaction)
    event = await interaction.client.services.events.get_for(event_id, actor)
    await interaction.client.services.contributions.join(event_id, actor)
    await say(interaction, f"You take part in {event_name(event)}. Press **Make a picture** whenever you like.")


async def press_leave(interaction: Interaction, event_id: int) -> None:
    event = await interaction.client.services.events.get_for(event_id, actor_of(interaction))
    await ask_to_leave(interaction, event)


async def press_rules(interaction: Interaction, event_id: int) -> None:
    await defer(interaction)
    await show(
        interaction, rules_card(await interaction.client.services.events.get_for(event_id, actor_of(interaction)))
    )


async def _press_news(interaction: Interaction, _: int) -> None:
    await say(interaction, await switch_news(interaction))


async def press_make(interaction: Interaction, event_id: int) -> None:
    event = await interaction.client.services.events.get_for(event_id, actor_of(interaction))
    await open_form(interaction, MakeForm(event, await usable_things(interaction, event)))


async def press_enter(interaction: Interaction, event_id: int) -> None:
    await defer(interaction)
    actor = actor_of(interaction)
    await show_choice(interaction, await interaction.client.services.events.get_for(event_id, actor), actor)


async def press_yes(interaction: Interaction, depiction_id: int) -> None:
    await _answer(interaction, depiction_id, confirmed=True)


async def press_no(interaction: Interaction, depiction_id: int) -> None:
    await _answer(interaction, depiction_id, confirmed=False)


async def _answer(interaction: Interaction, depiction_id: int, *, confirmed: bool) -> None:
    """In a private message the outbox redraws the question; in a server the list of all of them is shown again."""
    is_private = interaction.guild_id is None
    await defer(interaction, thinking=is_private)
    depictions = interaction.client.services.depictions
    user_id, guild_id = interaction.user.id, interaction.guild_id
    status = await depictions.answer(depiction_id, confirmed, user_id, guild_id)
    asked = await depictions.depiction(depiction_id)
    if is_private or asked is None or asked.event is None:
        await say(interaction, ANSWERED[status])
    else:
        await _show_seen(interaction, asked.event.id)


async def _show_seen(interaction: Interaction, event_id: int) -> None:
    actor = actor_of(interaction)
    services = interaction.client.services
    event = await services.events.get_for(event_id, actor)
    seen = await services.depictions.seen_in(event_id, actor)
    await show(interaction, seen_card(event, seen, services.timings.event_photos_kept))


async def press_choose(interaction: Interaction, generation_id: int) -> None:
    """Below a result, also in a private message: a single picture is entered at once, of several one is chosen."""
    await defer(interaction)
    actor = await actor_for(interaction, generation_id)
    found = await interaction.client.services.pictures.see(generation_id, actor)
    if found.generation.event_id is None:
        raise NotFound("These pictures do not belong to an event.")
    if len(found.view.pictures) == 1:
        await _enter(interaction, found.generation.event_id, found.view.pictures[0].id, actor)
        return
    event = await interaction.client.services.events.get_for(found.generation.event_id, actor)
    await show_choice(interaction, event, actor, generation_id)


async def press_enter_picture(interaction: Interaction, picture_id: int) -> None:
    await defer(interaction)
    found = await interaction.client.services.pictures.find_by_picture(picture_id)
    if found is None or found[0].generation.event_id is None:
        raise NotFound(NO_PICTURE)
    actor = await actor_for(interaction, found[0].generation.id)
    if found[0].generation.guild_id != actor.guild_id:
        raise NotFound(NO_PICTURE)
    await _enter(interaction, found[0].generation.event_id, picture_id, actor)


async def _enter(interaction: Interaction, event_id: int, picture_id: int, actor: Actor) -> None:
    await interaction.client.services.ballots.enter(event_id, picture_id, actor)
    if await interaction.client.services.approvals.is_waiting(picture_id, Purpose.BALLOT):
        await say(interaction, "Entered. A moderator looks at it first; it takes part in the vote once it is approved.")
        return
    await say(interaction, "Entered. It takes part in the vote without your name; you can still choose another one.")


async def press_adopt(interaction: Interaction, honour_id: int) -> None:
    adopted = await interaction.client.services.winners.adopt(honour_id, actor_of(interaction))
    won = quote(adopted.candidate.label, 60)
    await say(
        interaction,
        f"{won} is the default of {name_of(adopted.lora)} now, for everybody who says nothing else. "
        "`/loras show` shows it and can take it back.",
    )


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons(
        "event",
        give=press_give,
        about=press_about,
        mine=press_mine,
        join=press_join,
        leave=press_leave,
        rules=press_rules,
        make=press_make,
        enter=press_enter,
        vote=after_defer(show_voting),
        seen=after_defer(_show_seen),
        status=after_defer(show_status),
        book=after_defer(send_yearbook),
        news=after_defer(_press_news),
    )
    bot.add_buttons("bakeoff", adopt=after_defer(press_adopt))
    bot.add_buttons("depict", yes=press_yes, no=press_no)
    bot.add_buttons("entry", choose=press_choose, enter=press_enter_picture)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("event", "bakeoff", "depict", "entry")
