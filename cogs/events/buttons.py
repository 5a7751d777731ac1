"""The buttons of an event's panel and ballot, and those of the question to members who were named in photos."""

from discord.ext import commands

from bot.client import DarkroomBot
from bot.records.event import DepictionStatus
from cogs.events.host.actions import show_status
from cogs.events.member.ballot import show_voting
from cogs.events.member.depictions import seen_card
from cogs.events.member.giving import GiveForm, check_may_give
from cogs.events.member.photos import LeaveView, leave_question, rules_card, show_mine
from cogs.events.member.pictures import MakeForm, press_enter_set, press_nominate, show_choice, usable_things
from cogs.events.member.yearbook import send_yearbook
from cogs.events.texts import event_name
from cogs.ui.buttons import on_press
from cogs.ui.replies import Interaction, actor_of, ask, defer, open_form, say, show

ANSWERED = {
    DepictionStatus.CONFIRMED: "Thank you. These photos may be used; you can change your mind at any time.",
    DepictionStatus.VETOED: "Done. These photos are deleted, and nobody is told that it was you.",
}


class EventButtonsCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        presses = {
            "give": self.press_give,
            "mine": self.press_mine,
            "join": self.press_join,
            "leave": self.press_leave,
            "rules": self.press_rules,
            "make": self.press_make,
            "enter": self.press_enter,
            "vote": self.press_vote,
            "seen": self.press_seen,
            "status": self.press_status,
            "book": self.press_book,
        }
        for action, press in presses.items():
            on_press("event", action, press)
        on_press("depict", "yes", self.press_yes)
        on_press("depict", "no", self.press_no)
        on_press("pic", "enter", press_enter_set)
        on_press("pic", "nominate", press_nominate)

    async def press_give(self, interaction: Interaction, event_id: int) -> None:
        actor = actor_of(interaction)
        own = await self.bot.services.contributions.mine(event_id, actor)
        check_may_give(own, actor)
        await open_form(interaction, GiveForm(own))

    async def press_mine(self, interaction: Interaction, event_id: int) -> None:
        await defer(interaction)
        await show_mine(interaction, await self.bot.services.contributions.mine(event_id, actor_of(interaction)))

    async def press_join(self, interaction: Interaction, event_id: int) -> None:
        await defer(interaction)
        actor = actor_of(interaction)
        event = await self.bot.services.events.get_for(event_id, actor)
        await self.bot.services.contributions.join(event_id, actor)
        await say(interaction, f"You take part in {event_name(event)}. Press **Make a picture** whenever you like.")

    async def press_leave(self, interaction: Interaction, event_id: int) -> None:
        event = await self.bot.services.events.get_for(event_id, actor_of(interaction))
        await ask(interaction, leave_question(event), LeaveView(event))

    async def press_rules(self, interaction: Interaction, event_id: int) -> None:
        await defer(interaction)
        await show(interaction, rules_card(await self.bot.services.events.get_for(event_id, actor_of(interaction))))

    async def press_make(self, interaction: Interaction, event_id: int) -> None:
        event = await self.bot.services.events.get_for(event_id, actor_of(interaction))
        await open_form(interaction, MakeForm(event, await usable_things(interaction, event)))

    async def press_enter(self, interaction: Interaction, event_id: int) -> None:
        await defer(interaction)
        await show_choice(interaction, await self.bot.services.events.get_for(event_id, actor_of(interaction)))

    async def press_vote(self, interaction: Interaction, event_id: int) -> None:
        await defer(interaction)
        await show_voting(interaction, event_id)

    async def press_seen(self, interaction: Interaction, event_id: int) -> None:
        await defer(interaction)
        await self._show_seen(interaction, event_id)

    async def press_status(self, interaction: Interaction, event_id: int) -> None:
        await defer(interaction)
        await show_status(interaction, event_id)

    async def press_book(self, interaction: Interaction, event_id: int) -> None:
        await defer(interaction)
        await send_yearbook(interaction, event_id)

    async def press_yes(self, interaction: Interaction, depiction_id: int) -> None:
        await self._answer(interaction, depiction_id, confirmed=True)

    async def press_no(self, interaction: Interaction, depiction_id: int) -> None:
        await self._answer(interaction, depiction_id, confirmed=False)

    async def _answer(self, interaction: Interaction, depiction_id: int, *, confirmed: bool) -> None:
        """In a private message the outbox redraws the question; in a server the list of all of them is shown again."""
        is_private = interaction.guild_id is None
        await defer(interaction, thinking=is_private)
        depictions = self.bot.services.depictions
        user_id, guild_id = interaction.user.id, interaction.guild_id
        status = await depictions.answer(depiction_id, confirmed, user_id, guild_id)
        asked = await depictions.depiction(depiction_id)
        if is_private or asked is None:
            await say(interaction, ANSWERED[status])
        else:
            await self._show_seen(interaction, asked.event.id)

    async def _show_seen(self, interaction: Interaction, event_id: int) -> None:
        actor = actor_of(interaction)
        event = await self.bot.services.events.get_for(event_id, actor)
        await show(interaction, seen_card(event, await self.bot.services.depictions.seen_in(event_id, actor)))


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(EventButtonsCog(bot))
