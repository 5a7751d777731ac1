"""The rehearsal Aurous Labs' styles and account: catalogue, balance, team."""

from typing import Any

from aiohttp import web

from bot.sandbox.aurous.answers import SHINY, show_balance, show_style, show_team
from bot.sandbox.aurous.context import Context
from bot.sandbox.aurous.records import RehearsalStyle
from bot.sandbox.rehearsal.server import Routes


class AccountRoutes(Routes[Context]):
    def table(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/loras", self.list_styles, allow_head=False),
            web.get("/v1/balance", self.balance, allow_head=False),
            web.get("/v1/team", self.team, allow_head=False),
        ]

    async def list_styles(self, request: web.Request) -> web.Response:
        """Public ones and the team's private ones, in one answer. Source: Aurous Labs /loras."""
        team = self._context.authorize(request).team
        shown = [self._shown(style) for style in self._context.world.styles if style.is_usable_by(team)]
        if not self._context.faults.answers.loras_as_list:
            return web.json_response(shown)
        return web.json_response({"object": "list", "data": shown, "has_more": False, "next_cursor": None})

    def _shown(self, style: RehearsalStyle) -> dict[str, Any]:
        shown = show_style(style, self._context.preview_url(style.id))
        return shown | SHINY if self._context.faults.answers.extra_fields else shown

    async def balance(self, request: web.Request) -> web.Response:
        team = self._context.world.teams[self._context.authorize(request).team]
        return web.json_response(show_balance(team, self._context.faults.answers.billing_mode))

    async def team(self, request: web.Request) -> web.Response:
        team = self._context.world.teams[self._context.authorize(request).team]
        return web.json_response(show_team(team, self._context.faults.answers.billing_mode))
