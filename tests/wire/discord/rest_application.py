"""REST routes of the bot itself: who it is, its commands, where its gateway is, its direct messages."""

from collections.abc import Callable

from tests.wire.discord.answers import Answer, Call, Json, RouteTable, refuse
from tests.wire.discord.state import State


class ApplicationRoutes:
    """`gateway_url` is asked for at answer time: it is known once the server listens."""

    def __init__(self, state: State, gateway_url: Callable[[], str]) -> None:
        self.state = state
        self._gateway_url = gateway_url
        self.about: Json = {}
        """What the portal says of the application beyond the usual."""
        self.starts_left = 1000

    def table(self) -> RouteTable:
        commands = "/applications/{application_id}/commands"
        guild_commands = "/applications/{application_id}/guilds/{guild_id}/commands"
        return [
            ("GET", "/users/@me", self.get_bot),
            ("GET", "/users/{user_id}", self.get_user),
            ("POST", "/users/@me/channels", self.open_dm),
            ("GET", "/users/@me/guilds", self.list_guilds),
            ("DELETE", "/users/@me/guilds/{guild_id}", self.leave_guild),
            ("GET", "/oauth2/applications/@me", self.get_application),
            ("GET", "/applications/@me", self.get_application),
            ("GET", "/gateway", self.get_gateway),
            ("GET", "/gateway/bot", self.get_gateway_for_bot),
            ("GET", commands, self.list_commands),
            ("PUT", commands, self.replace_commands),
            ("POST", commands, self.add_command),
            ("GET", guild_commands, self.list_commands),
            ("PUT", guild_commands, self.replace_commands),
            ("POST", guild_commands, self.add_command),
            ("GET", f"{guild_commands}/{{command_id}}/permissions", self.get_permissions),
        ]

    def get_bot(self, call: Call) -> Answer:
        return Answer(200, self.state.world.bot.payload() | {"verified": True, "mfa_enabled": True, "email": None})

    def get_user(self, call: Call) -> Answer:
        person = self.state.world.people.get(call.number("user_id"))
        if person is None:
            raise refuse(10013)
        return Answer(200, person.payload())

    def open_dm(self, call: Call) -> Answer:
        person = self.state.world.people.get(int(call.json["recipient_id"]))
        if person is None:
            raise refuse(10013)
        return Answer(200, self.state.world.open_dm(person).payload())

    def list_guilds(self, call: Call) -> Answer:
        joined = [guild for guild in self.state.world.guilds.values() if guild.has_bot]
        return Answer(200, [guild.listed_payload(self.state.world.bot) for guild in joined])

    def leave_guild(self, call: Call) -> Answer:
        guild = self.state.world.find_guild(call.number("guild_id"))
        guild.has_bot = False
        self.state.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild.id)
        return Answer(204)

    def get_application(self, call: Call) -> Answer:
        bot = self.state.world.bot
        application: Json = {
            "id": str(bot.id),
            "name": bot.name,
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": 0,
            "owner": bot.payload(),
            "team": None,
            "interactions_endpoint_url": None,
            "redirect_uris": [],
            "approximate_guild_count": len(self.state.world.guilds),
        }
        return Answer(200, application | self.about)

    def get_gateway(self, call: Call) -> Answer:
        return Answer(200, {"url": self._gateway_url()})

    def get_gateway_for_bot(self, call: Call) -> Answer:
        limit = {"total": 1000, "remaining": self.starts_left, "reset_after": 7_200_000, "max_concurrency": 1}
        return Answer(200, {"url": self._gateway_url(), "shards": 1, "session_start_limit": limit})

    def list_commands(self, call: Call) -> Answer:
        return Answer(200, self.state.commands.in_scope(self._scope(call)))

    def replace_commands(self, call: Call) -> Answer:
        return Answer(200, self.state.commands.replace_all(self._scope(call), call.body or []))

    def add_command(self, call: Call) -> Answer:
        return Answer(201, self.state.commands.add(self._scope(call), call.json))

    def get_permissions(self, call: Call) -> Answer:
        """No server of the stand-in has ever changed who may use a command."""
        raise refuse(10066)

    def _scope(self, call: Call) -> int:
        """The guild's id, 0 for global commands."""
        if call.number("application_id") != self.state.world.bot.id:
            raise refuse(50001)
        return self.state.world.find_guild(call.number("guild_id")).id if "guild_id" in call.params else 0
