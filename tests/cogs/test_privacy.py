"""/privacy: what is kept, and erasing it."""

from tests.cogs.simulated_guild import Stage, answer_to, board_of, photos, text_of


async def test_show_counts_what_is_kept_and_says_for_how_long(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    text = answer_to(await keyed.use(keyed.ben, "privacy show"))
    assert "• 1 dataset with 3 photos on our disk" in text
    assert "• 0 trainings and 0 LoRAs" in text
    assert "• 1 consent record" in text
    assert "at the latest after 24 hours" in text


async def test_show_counts_nothing_of_others(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    text = answer_to(await keyed.use(keyed.cleo, "privacy show"))
    assert "• 0 datasets with 0 photos on our disk" in text
    assert "• 0 consent records" in text


async def test_erase_asks_first_then_everything_is_gone_here_and_at_the_provider(keyed: Stage) -> None:
    lora = await keyed.give_lora(keyed.ben)
    await keyed.send_form(keyed.ben, "Rex", photos(3))
    asked = await keyed.use(keyed.ben, "privacy erase")
    assert "It cannot be undone." in answer_to(asked)
    assert keyed.world.provider.loras[lora.remote_id].status == "READY"
    done = await keyed.ben.click(board_of(asked), label="Erase my data here")
    assert "Your photos, jobs, LoRAs and pictures in this server are erased." in answer_to(done)
    assert keyed.world.provider.loras[lora.remote_id].status == "ARCHIVED"
    assert list(keyed.world.darkroom.services.datasets._spool._folder.iterdir()) == []
    text = answer_to(await keyed.use(keyed.ben, "privacy show"))
    assert "• 0 datasets with 0 photos on our disk" in text
    assert "• 0 trainings and 0 LoRAs" in text
    assert "None yet." in answer_to(await keyed.use(keyed.ben, "loras list"))


async def test_erase_leaves_other_members_alone(keyed: Stage) -> None:
    await keyed.give_lora(keyed.cleo, "Rex")
    await keyed.ben.click(board_of(await keyed.use(keyed.ben, "privacy erase")), label="Erase my data here")
    assert "`Rex`" in answer_to(await keyed.use(keyed.cleo, "loras list"))


async def test_without_a_key_the_loras_left_at_the_provider_are_counted(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ada, "keys remove", provider="apiframe")
    asked = board_of(await keyed.use(keyed.ben, "privacy erase"))
    answered = answer_to(await keyed.ben.click(asked, label="Erase my data here"))
    assert "The provider could not delete 1 LoRA just now" in answered


async def test_old_buttons_of_erased_rows_are_answered_kindly(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    await keyed.ben.click(board_of(await keyed.use(keyed.ben, "privacy erase")), label="Erase my data here")
    pressed = await keyed.ben.click(ready, label="Make the first picture")
    assert answer_to(pressed) == "You have no such LoRA here. `/loras list` shows what you have."
    for custom_id in ("dr:set:start:1", "dr:set:discard:1", "dr:set:show:1", "dr:training:retry:1", "dr:job:fetch:1"):
        assert answer_to(await keyed.press_id(keyed.ben, custom_id))


async def test_in_a_private_message_one_command_erases_everything_everywhere(keyed: Stage) -> None:
    """For those who have left a server and can no longer use its commands."""
    await keyed.give_lora(keyed.ben)
    shown = answer_to(await keyed.ben.user.slash("privacy show"))
    assert "### Kept about you in 1 server" in shown
    assert "1 LoRA" in shown
    asked = board_of(await keyed.ben.user.slash("privacy erase"))
    assert "in all servers" in text_of(asked)
    done = answer_to(await keyed.ben.user.click(asked, label="Erase my data here"))
    assert "Your photos, jobs, LoRAs and pictures in all servers are erased." in done
    assert "in 0 servers" in answer_to(await keyed.ben.user.slash("privacy show"))
