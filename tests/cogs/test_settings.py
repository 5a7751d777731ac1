"""/settings: an admin chooses the gallery, the reports channel, and whether a first picture follows each LoRA."""

from simcord.components import walk_components

from tests.cogs.simulated_guild import Message, Stage, answer_to, board_of, text_of, tree_of

CHANNEL_SELECT = 8
STRING_SELECT = 3


def select_ids(message: Message) -> list[str]:
    parts = walk_components(tree_of(message))
    return [part["custom_id"] for part in parts if part.get("type") == CHANNEL_SELECT]


async def test_the_channels_chosen_are_shown_and_can_be_taken_back(stage: Stage) -> None:
    shown = board_of(await stage.use(stage.ada, "settings"))
    assert "**Gallery:** none" in text_of(shown)
    gallery, *_ = select_ids(shown)
    chosen = board_of(await stage.ada.select(shown, [stage.channel], custom_id=gallery))
    assert f"**Gallery:** <#{stage.channel.id}>" in text_of(chosen)
    choices = await stage.world.darkroom.services.guilds.get(stage.world.guild.id)
    assert choices is not None
    assert choices.gallery_channel_id == stage.channel.id
    gallery, *_ = select_ids(chosen)
    taken = board_of(await stage.ada.select(chosen, [], custom_id=gallery))
    assert "**Gallery:** none" in text_of(taken)
    assert "**Reports:** a private message" in text_of(taken)


async def test_a_member_who_was_let_at_the_command_is_still_refused(stage: Stage) -> None:
    assert "settings" not in stage.ben.available_commands(stage.channel)
    root = stage.world.env.backend.find_command("settings", stage.world.guild.id)
    assert root is not None
    stage.world.guild.set_command_permissions(int(root["id"]), {stage.ben: True})
    assert "**Manage Server**" in answer_to(await stage.use(stage.ben, "settings"))


async def test_first_pictures_are_made_until_an_admin_turns_them_off(stage: Stage) -> None:
    shown = board_of(await stage.use(stage.ada, "settings"))
    assert "**A first picture with each new LoRA:** made by itself\nIt takes 2 credits" in text_of(shown)
    parts = walk_components(tree_of(shown))
    selects = [part for part in parts if part.get("type") == STRING_SELECT]
    [select] = [each for each in selects if any(option["label"] == "made by itself" for option in each["options"])]
    off = board_of(await stage.ada.select(shown, ["0"], custom_id=select["custom_id"]))
    assert "**A first picture with each new LoRA:** off" in text_of(off)
    choices = await stage.world.darkroom.services.guilds.get(stage.world.guild.id)
    assert choices is not None
    assert not choices.makes_samples
