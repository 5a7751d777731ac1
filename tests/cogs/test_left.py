"""The private question to whoever set the key of a server that removed the bot."""

from tests.cogs.private_messages import private
from tests.cogs.simulated_guild import Stage, answer_to, text_of
from tests.fakes.waiting import eventually


async def test_one_press_in_a_private_message_has_the_loras_removed(keyed: Stage) -> None:
    lora = await keyed.give_lora(keyed.ben)
    await keyed.world.darkroom.services.guilds.leave(keyed.world.guild.id)
    asked = await private(keyed.ada, "### A server has removed me")
    assert "Its 1 LoRA in your Apiframe account is still there." in text_of(asked)
    told = answer_to(await keyed.ada.user.click(asked, label="Have them removed"))
    assert told == "1 LoRA will be removed. I ask until it is answered, then send you the receipt."
    await eventually(lambda: keyed.world.provider.loras[lora.remote_id].status == "ARCHIVED")
    receipt = text_of(await private(keyed.ada, "### Receipts"))
    assert "because your server removed me and you asked for it" in receipt
    again = answer_to(await keyed.ada.user.click(asked, label="Have them removed"))
    assert "nothing left to remove" in again or "its key is deleted" in again
