"""Application commands the bot has registered, and options filled in as Discord's client would let a person."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.wire.discord.answers import Json, refuse
from tests.wire.discord.files import FileStore
from tests.wire.discord.modals import NotSubmittable
from tests.wire.discord.world import Channel, Guild, Person, Role, Snowflakes

CHAT_INPUT, MESSAGE_MENU = 1, 3
SUBCOMMAND, GROUP = 1, 2
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = 3, 4, 5, 6, 7, 8, 9, 10, 11
NAME = re.compile(r"^[-_'\w]{1,32}$")


class CommandRegistry:
    def __init__(self, snowflakes: Snowflakes, application_id: int) -> None:
        self._snowflakes = snowflakes
        self._application_id = application_id
        self._by_scope: dict[int, dict[tuple[int, str], Json]] = {}
        """Guild id (0: global) -> type and name -> definition."""

    def in_scope(self, guild_id: int) -> list[Json]:
        return list(self._by_scope.get(guild_id, {}).values())

    def replace_all(self, guild_id: int, bodies: Sequence[Json]) -> list[Json]:
        """A command keeps its id when one of its type and name was there before."""
        former = self._by_scope.get(guild_id, {})
        made = {(body.get("type") or 1, body["name"]): body for body in bodies}
        if len(made) != len(bodies):
            raise refuse(50035, "command names must be unique")
        self._by_scope[guild_id] = {
            key: self._registered(guild_id, key, body, former.get(key)) for key, body in made.items()
        }
        return self.in_scope(guild_id)

    def add(self, guild_id: int, body: Json) -> Json:
        scope = self._by_scope.setdefault(guild_id, {})
        key = (body.get("type") or 1, body["name"])
        scope[key] = self._registered(guild_id, key, body, scope.get(key))
        return scope[key]

    def _registered(self, guild_id: int, key: tuple[int, str], body: Json, former: Json | None) -> Json:
        kind, name = key
        if kind == CHAT_INPUT and (not NAME.match(name) or name != name.lower()):
            raise refuse(50035, f"{name!r} is not a command name")
        made = body | {
            "id": former["id"] if former else str(self._snowflakes.make()),
            "application_id": str(self._application_id),
            "version": str(self._snowflakes.make()),
            "type": kind,
            "description": body.get("description") or "",
        }
        made["options"] = body.get("options") or []
        bits = body.get("default_member_permissions")
        made["default_member_permissions"] = None if bits is None else str(bits)
        return made | ({"guild_id": str(guild_id)} if guild_id else {})

    def usable(self, name: str, kind: int, person: Person, channel: Channel) -> Json:
        """The command, if Discord's client would offer it to this person in this place."""
        guild = channel.guild
        scopes = [guild.id, 0] if guild else [0]
        found = next((c for s in scopes if (c := self._by_scope.get(s, {}).get((kind, name)))), None)
        if found is None:
            known = sorted(command["name"] for scope in self._by_scope.values() for command in scope.values())
            raise LookupError(f"no command {name!r} is registered here; there are {known}")
        contexts = found.get("contexts")
        if contexts is not None and (0 if guild else 1) not in contexts:
            raise NotSubmittable(f"{name!r} is not offered in {'a server' if guild else 'a DM'}")
        if guild is None:
            if found.get("dm_permission") is False:
                raise NotSubmittable(f"{name!r} is not offered in a DM")
            return found
        needed = int(found["default_member_permissions"] or 0)
        if guild.permissions_of(person.id, channel) & needed != needed:
            raise NotSubmittable(f"{name!r} is not offered to {person.name}")
        return found


@dataclass(slots=True)
class FilledOptions:
    options: list[Json] = field(default_factory=list)
    resolved: Json = field(default_factory=dict)


class OptionForm:
    """Turns {option name: value} into the nested options of an interaction."""

    def __init__(self, files: FileStore, channel: Channel, focused: str | None = None) -> None:
        self._files = files
        self._channel = channel
        self._focused = focused

    def fill(self, definition: Json, path: Sequence[str], values: Mapping[str, Any]) -> FilledOptions:
        filled = FilledOptions()
        filled.options = self._level(definition, list(path), dict(values), filled.resolved)
        return filled

    def _level(self, node: Json, path: list[str], values: dict[str, Any], resolved: Json) -> list[Json]:
        offered = {option["name"]: option for option in node.get("options") or []}
        if path:
            inner = offered.get(path[0])
            if inner is None or inner["type"] not in {SUBCOMMAND, GROUP}:
                raise LookupError(f"{node['name']!r} has no subcommand {path[0]!r}; it has {list(offered)}")
            options = self._level(inner, path[1:], values, resolved)
            return [{"name": inner["name"], "type": inner["type"], "options": options}]
        if any(option["type"] in {SUBCOMMAND, GROUP} for option in offered.values()):
            raise NotSubmittable(f"{node['name']!r} needs one of its subcommands: {list(offered)}")
        if unknown := sorted(set(values) - set(offered)):
            raise LookupError(f"{node['name']!r} has no options {unknown}; it has {list(offered)}")
        missing = [name for name, option in offered.items() if option.get("required") and name not in values]
        if missing and self._focused is None:
            raise NotSubmittable(f"{node['name']!r} needs {missing}")
        return [self._option(offered[name], value, resolved) for name, value in values.items()]

    def _option(self, option: Json, value: Any, resolved: Json) -> Json:
        made: Json = {"name": option["name"], "type": option["type"]}
        if option["name"] == self._focused:
            return made | {"value": str(value), "focused": True}
        if option["type"] in {USER, MENTIONABLE, CHANNEL, ROLE}:
            return made | {"value": self._resolve(value, resolved)}
        if option["type"] == ATTACHMENT:
            name, content = value if isinstance(value, tuple) else ("photo.png", value)
            file = self._files.keep(name, content, self._channel.id, is_ephemeral=True)
            resolved.setdefault("attachments", {})[str(file.id)] = self._files.payload(file)
            return made | {"value": str(file.id)}
        return made | {"value": _plain_value(option, value)}

    def _resolve(self, value: Any, resolved: Json) -> str:
        if isinstance(value, Person):
            resolved.setdefault("users", {})[str(value.id)] = value.payload()
            if self._channel.guild is not None and value.id in self._channel.guild.members:
                member = resolved_member(self._channel.guild, value)
                resolved.setdefault("members", {})[str(value.id)] = member
        elif isinstance(value, Role):
            resolved.setdefault("roles", {})[str(value.id)] = value.payload()
        elif isinstance(value, Channel):
            resolved.setdefault("channels", {})[str(value.id)] = value.payload() | {"permissions": "0"}
        else:
            raise TypeError("a user, role or channel option takes a Person, Role or Channel")
        return str(value.id)


def resolved_member(guild: Guild, person: Person) -> Json:
    """A member as it stands in `resolved`: without its user, with its permissions."""
    member = guild.member_payload(person) | {"permissions": str(guild.permissions_of(person.id))}
    return {key: part for key, part in member.items() if key != "user"}


def _plain_value(option: Json, value: Any) -> Any:
    choices = option.get("choices") or []
    if choices:
        by_name = {choice["name"]: choice["value"] for choice in choices}
        by_name |= {str(choice["value"]): choice["value"] for choice in choices}
        if str(value) not in by_name:
            raise LookupError(f"{option['name']!r} offers {list(by_name)}, not {value!r}")
        return by_name[str(value)]
    if option["type"] in {INTEGER, NUMBER}:
        low, high = option.get("min_value"), option.get("max_value")
        if (low is not None and value < low) or (high is not None and value > high):
            raise NotSubmittable(f"{option['name']!r} takes {low} to {high}, not {value}")
        return value
    if option["type"] == STRING:
        low, high = option.get("min_length") or 0, option.get("max_length") or 6000
        if not low <= len(value) <= high:
            raise NotSubmittable(f"{option['name']!r} takes {low} to {high} characters, not {len(value)}")
    return value
