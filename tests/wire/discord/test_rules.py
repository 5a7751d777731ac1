"""Rules of messages, modals and options that need no bot: the parts of Discord no schema can say."""

from typing import Any

import pytest

from tests.wire.discord.answers import DiscordError, Json
from tests.wire.discord.commands import CommandRegistry, OptionForm
from tests.wire.discord.components import check_message, check_modal, find_pressable, numbered, walk
from tests.wire.discord.files import FileStore
from tests.wire.discord.modals import NotSubmittable, fill_modal
from tests.wire.discord.world import ALL_PERMISSIONS, Channel, ChannelKind, Permit, Person, Snowflakes, World


def button(label: str, custom_id: str | None, **more: Any) -> Json:
    return {"type": 2, "style": 1, "label": label} | ({"custom_id": custom_id} if custom_id else {}) | more


def row(*parts: Json) -> Json:
    return {"type": 1, "components": list(parts)}


def text(content: str, **more: Any) -> Json:
    return {"type": 10, "content": content} | more


@pytest.mark.parametrize(
    ("content", "embeds", "components", "is_v2"),
    [
        ("x" * 2001, [], [], False),
        ("x", [], [text("y")], True),
        ("", [{"title": "x"}], [text("y")], True),
        ("", [{"description": "x" * 3500}, {"footer": {"text": "y" * 2501}}], [], False),
        ("", [], [text("x")] * 41, True),
        ("", [], [text("x" * 2001), text("y" * 2000)], True),
        ("", [], [text("x")], False),
        ("", [], [row(button("a", f"{number}")) for number in range(6)], False),
        ("", [], [row(button("a", "same"), button("b", "same"))], False),
        ("", [], [row(button("a", None))], False),
    ],
)
def test_a_message_discord_would_refuse_is_refused(
    content: str, embeds: list[Json], components: list[Json], is_v2: bool
) -> None:
    with pytest.raises(DiscordError) as refused:
        check_message(content, embeds, components, is_v2=is_v2)
    assert (refused.value.status, refused.value.code) == (400, 50035)


def test_messages_at_the_limits_are_accepted() -> None:
    check_message("x" * 2000, [{"description": "x" * 4000, "title": "y" * 2000}], [], is_v2=False)
    check_message("", [], [text("x" * 100)] * 40, is_v2=True)
    check_message("", [], [row(button("go", None, style=5, url="http://example.invalid"))], is_v2=False)


@pytest.mark.parametrize(
    "modal",
    [
        {"title": "", "components": [row()]},
        {"title": "x" * 46, "components": [row()]},
        {"title": "x", "components": []},
        {"title": "x", "components": [row(button("a", "same"), button("b", "same"))]},
    ],
)
def test_a_modal_discord_would_refuse_is_refused(modal: Json) -> None:
    with pytest.raises(DiscordError):
        check_modal(modal)


def test_a_button_is_found_by_id_label_or_the_labels_beginning() -> None:
    parts = [row(button("Start training (12)", "s:1"), button("Stop", "x:1"), button("Stop all", "x:2"))]
    assert find_pressable(parts, "s:1", {2})["label"] == "Start training (12)"
    assert find_pressable(parts, "Start training", {2})["custom_id"] == "s:1"
    assert find_pressable(parts, "Stop", {2})["custom_id"] == "x:1"
    with pytest.raises(LookupError, match="2 components"):
        find_pressable([row(button("Go", "a"), button("Go", "b"))], "Go", {2})
    with pytest.raises(LookupError, match="Start training"):
        find_pressable(parts, "Leave", {2})


def test_every_component_gets_an_id_of_its_own() -> None:
    made = numbered([row(button("a", "a", id=2), button("b", "b")), text("c")])
    ids = [part["id"] for part in walk(made)]
    assert len(set(ids)) == len(ids) == 4
    assert made[0]["components"][0]["id"] == 2


def test_what_comes_without_an_id_is_numbered_from_one_and_given_ids_are_kept() -> None:
    made = numbered([row(button("a", "a"), button("b", "b", id=2**30)) | {"id": 0}, text("c", id=1)])
    assert [part["id"] for part in walk(made)] == [2, 3, 2**30, 1]


@pytest.mark.parametrize("ids", [(7, 7), (2**31, 8), (-1, 8)])
def test_ids_that_are_not_unique_or_too_large_are_refused(ids: tuple[int, int]) -> None:
    with pytest.raises(DiscordError) as refused:
        check_message("", [], numbered([text(f"{each}", id=each) for each in ids]), is_v2=True)
    assert refused.value.code == 50035


def label(name: str, component: Json) -> Json:
    return {"type": 18, "label": name, "component": component}


OPTIONS = [{"label": "Red", "value": "r"}, {"label": "Blue", "value": "b"}, {"label": "Green", "value": "g"}]
FORM: Json = {
    "title": "Form",
    "custom_id": "form",
    "components": [
        {"type": 10, "content": "Read this"},
        label("Colour", {"type": 3, "custom_id": "colour", "options": OPTIONS}),
        label("Size", {"type": 21, "custom_id": "size", "options": OPTIONS, "required": False}),
        label("Extras", {"type": 22, "custom_id": "extras", "options": OPTIONS, "max_values": 2, "required": False}),
        {"type": 1, "components": [{"type": 4, "custom_id": "note", "label": "Note", "value": "as before"}]},
    ],
}


def fill(**values: Any) -> dict[str, Any]:
    filled = fill_modal(FORM, values, FileStore(Snowflakes()), 1)
    inputs = [part for part in walk(filled.components) if "custom_id" in part]
    return {part["custom_id"]: part["value"] if "value" in part else part["values"] for part in inputs}


def test_choices_of_a_modal_are_made_by_label_or_value() -> None:
    assert fill(Colour="Blue") == {"colour": ["b"], "size": None, "extras": [], "note": "as before"}
    assert fill(colour="r", size="Green", Extras=["Red", "b"], Note="new") == {
        "colour": ["r"],
        "size": "g",
        "extras": ["r", "b"],
        "note": "new",
    }


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, NotSubmittable),
        ({"Colour": "Blue", "Extras": ["r", "g", "b"]}, NotSubmittable),
        ({"Colour": "Blue", "note": ""}, NotSubmittable),
        ({"Colour": "Pink"}, LookupError),
        ({"Colour": "Blue", "Shape": "round"}, LookupError),
    ],
)
def test_a_wrong_filling_is_refused(values: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        fill(**values)


PAINT: Json = {
    "name": "paint",
    "description": "paint",
    "options": [
        {"type": 3, "name": "colour", "required": True, "choices": [{"name": "Red", "value": "r"}]},
        {"type": 4, "name": "coats", "min_value": 1, "max_value": 3},
        {"type": 3, "name": "note", "max_length": 5},
        {"type": 6, "name": "for"},
        {"type": 7, "name": "where"},
        {"type": 8, "name": "team"},
        {"type": 11, "name": "sample"},
    ],
}


def options_of(**values: Any) -> tuple[dict[str, Any], Json]:
    channel = Channel(1, "here", ChannelKind.TEXT)
    filled = OptionForm(FileStore(Snowflakes()), channel).fill(PAINT, [], values)
    return {option["name"]: option["value"] for option in filled.options}, filled.resolved


def test_options_are_resolved_by_their_kind() -> None:
    person, place = Person(5, "member"), Channel(6, "there", ChannelKind.TEXT)
    values, resolved = options_of(colour="Red", coats=2, **{"for": person, "where": place, "sample": b"abc"})
    assert (values["colour"], values["coats"], values["for"], values["where"]) == ("r", 2, "5", "6")
    assert resolved["users"]["5"]["username"] == "member"
    assert set(resolved["channels"]) == {"6"}
    assert resolved["attachments"][values["sample"]]["size"] == 3


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, NotSubmittable),
        ({"colour": "Pink"}, LookupError),
        ({"colour": "Red", "coats": 4}, NotSubmittable),
        ({"colour": "Red", "note": "too long"}, NotSubmittable),
        ({"colour": "Red", "brush": 1}, LookupError),
        ({"colour": "Red", "for": "somebody"}, TypeError),
    ],
)
def test_wrong_options_are_refused(values: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        options_of(**values)


def test_commands_are_offered_where_and_to_whom_their_definition_says() -> None:
    world = World(Snowflakes())
    guild, person = world.add_guild("club"), world.add_person("member")
    world.join(guild, person)
    here, alone = world.add_channel(guild, "here"), world.open_dm(person)
    registry = CommandRegistry(Snowflakes(), world.bot.id)
    registry.replace_all(0, [{"name": "servers", "contexts": [0]}, {"name": "everywhere"}])
    registry.add(guild.id, {"name": "hosts", "default_member_permissions": int(Permit.MANAGE_GUILD)})
    assert registry.usable("servers", 1, person, here)["name"] == "servers"
    assert registry.usable("everywhere", 1, person, alone)["name"] == "everywhere"
    for name, place in (("servers", alone), ("hosts", here)):
        with pytest.raises(NotSubmittable):
            registry.usable(name, 1, person, place)
    with pytest.raises(LookupError):
        registry.usable("hosts", 1, person, alone)
    for wrong in ([{"name": "Loud"}], [{"name": "twin"}, {"name": "twin"}]):
        with pytest.raises(DiscordError):
            registry.replace_all(0, wrong)


def test_permissions_add_up_from_roles_and_shrink_in_a_channel() -> None:
    world = World(Snowflakes())
    guild, boss, stranger = world.add_guild("club"), world.add_person("boss"), world.add_person("stranger")
    world.join(guild, boss, Permit.ADMINISTRATOR)
    channel = world.add_channel(guild, "here")
    thread = world.add_thread(channel, "talk", boss, ChannelKind.PUBLIC_THREAD)
    assert guild.permissions_of(boss.id, channel) == ALL_PERMISSIONS
    assert guild.permissions_of(stranger.id) == 0
    channel.denied[world.bot.id] = int(Permit.ATTACH_FILES)
    assert not guild.permissions_of(world.bot.id, thread) & Permit.ATTACH_FILES
    assert guild.permissions_of(world.bot.id) & Permit.ATTACH_FILES
