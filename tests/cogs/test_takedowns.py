"""The private question whether pictures of an erased LoRA are to go: for whom it works, and what is said."""

import pytest
import simcord

from bot.records.guild import Actor
from bot.records.lora import Audience
from cogs.pictures.takedowns import takedown_card
from cogs.ui.layout import Text
from tests.cogs.hostile_texts import MARK, SAMPLES
from tests.cogs.markdown import alive
from tests.cogs.private_messages import private
from tests.cogs.simulated_guild import Stage, answer_to, board_of, buttons_of, settled, text_of, until

QUESTION = "May your pictures of it go, too?"
GONE = "These pictures are deleted, and so are our copies."


async def erase(stage: Stage, member: simcord.MemberActor, label: str = "Erase my data here") -> str:
    return answer_to(await member.click(board_of(await stage.use(member, "privacy erase")), label=label))


@pytest.fixture
async def cleos(keyed: Stage) -> str:
    """Pictures that Cleo has made with Ben's LoRA before he is erased; the line below them."""
    lora = await keyed.give_lora(keyed.ben)
    owner = Actor(keyed.world.guild.id, keyed.ben.id)
    await keyed.world.darkroom.services.sharing.share(lora.id, Audience.GUILD, None, owner)
    await keyed.use(keyed.cleo, "imagine", prompt="in a forest", lora="Foxy")
    await keyed.posted("Pictures #1 · AI-generated")
    await settled(keyed)
    await erase(keyed, keyed.ben)
    return "Pictures #1 · AI-generated"


def shown(stage: Stage) -> list[str]:
    found = [text_of(message) for message in stage.world.channel.history()]
    return [text for text in found if "AI-generated" in text]


async def test_the_question_comes_privately_and_after_a_restart_two_presses_delete_the_message(
    keyed: Stage, cleos: str
) -> None:
    asked = await private(keyed.cleo, QUESTION)
    assert "Foxy" not in text_of(asked)
    assert keyed.ben.mention not in text_of(asked)
    assert len(shown(keyed)) == 1
    await keyed.restart()
    sure = await keyed.cleo.user.click(asked, label="Delete these pictures")
    assert "Delete 1 order of pictures?" in answer_to(sure)
    assert answer_to(await keyed.cleo.user.click(board_of(sure), label="Delete for good")) == GONE
    assert shown(keyed) == []
    again = answer_to(await keyed.cleo.user.click(asked, label="Delete these pictures"))
    assert again == "Nothing of yours that such a LoRA made is posted here any more."


async def test_the_own_page_offers_it_too_and_nobody_elses_does(keyed: Stage, cleos: str) -> None:
    page = board_of(await keyed.use(keyed.cleo, "me"))
    assert "Delete these pictures" in buttons_of(page)
    assert "Delete these pictures" not in buttons_of(board_of(await keyed.use(keyed.ben, "me")))
    sure = await keyed.cleo.click(page, label="Delete these pictures")
    assert answer_to(await keyed.cleo.click(board_of(sure), label="Delete for good")) == GONE
    assert shown(keyed) == []
    assert "Delete these pictures" not in buttons_of(board_of(await keyed.use(keyed.cleo, "me")))


async def test_whoever_is_erased_can_have_their_own_messages_deleted(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    await keyed.posted("Pictures #1 · AI-generated")
    await settled(keyed)
    said = await erase(keyed, keyed.ben, "Erase it, and my posted pictures")
    assert "The messages with your pictures in its channels go now" in said
    await until(lambda: shown(keyed) == [])


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_name_of_a_server_is_inert_in_it(sample: str) -> None:
    """Mutant: the name stands in the sentence as it is."""
    text = next(item.content for item in takedown_card(1, sample).walk_children() if isinstance(item, Text))
    assert alive(text) == []
    assert MARK in text
