"""A rehearsal Aurous Labs on loopback: the documented HTTP interface, with every documented fault on request.

Unlike production it takes http addresses of this machine for webhooks and serves its own pictures and uploads. Only
what Darkroom asks for is rehearsed. Source: the Aurous Labs documentation of June 2026; where its pages contradict each
other the newest one counts, and `faults.answers` switches to the other.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.aurous.account import AccountRoutes
from bot.sandbox.aurous.answers import show_balance, show_endpoint
from bot.sandbox.aurous.catalogue import make_style
from bot.sandbox.aurous.characters import CharacterRoutes
from bot.sandbox.aurous.context import REQUEST_ID, Context, open_request, show_headers, word_refusals
from bot.sandbox.aurous.endpoints import EndpointRoutes
from bot.sandbox.aurous.events import CALLBACK_EVENTS, Announcer, WebhookEvent
from bot.sandbox.aurous.files import FileRoutes
from bot.sandbox.aurous.images import ImageRoutes
from bot.sandbox.aurous.outputs import OutputRoutes
from bot.sandbox.aurous.pictures import write_preview
from bot.sandbox.aurous.records import (
    AurousTimings,
    RehearsalEndpoint,
    RehearsalImage,
    RehearsalStyle,
    RehearsalTeam,
    make_id,
)
from bot.sandbox.aurous.refusals import word_status
from bot.sandbox.aurous.state import AurousWorld, StateChange
from bot.sandbox.aurous.switches import AurousFaults
from bot.sandbox.aurous.uploads import UploadRoutes
from bot.sandbox.rehearsal.faults import RouteFaults
from bot.sandbox.rehearsal.server import RehearsalServer, share_keys

DEFAULT_TIMINGS = AurousTimings()


class RehearsalAurous(RehearsalServer):
    """`keys`: credits by API key. `teams`: team by API key, for keys that share everything.

    A team's credits are those of its first key.
    """

    _outer = (open_request,)
    _inner = (word_refusals,)
    _on_prepare = (show_headers,)

    def __init__(
        self,
        folder: Path,
        keys: Mapping[str, int],
        timings: AurousTimings = DEFAULT_TIMINGS,
        now: Callable[[], datetime] | None = None,
        teams: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(now)
        team_by_key, credits_by_team = share_keys(keys, teams)
        accounts = [RehearsalTeam(make_id("team"), team, paid, self._now()) for team, paid in credits_by_team.items()]
        routes = RouteFaults(lambda status, request: word_status(status, request[REQUEST_ID]))
        self.faults: AurousFaults = AurousFaults(routes)
        self._world: AurousWorld = AurousWorld(accounts, timings, self.faults)
        self.ledger, self.images, self.styles = self._world.ledger, self._world.images, self._world.styles
        self.characters, self.endpoints = self._world.characters, self._world.endpoints
        self.files = self._world.files
        self._context = Context(folder, team_by_key, self._now, lambda: self.base_url, self._world, self.faults)
        self._images = ImageRoutes(self._context)
        self._announcer = Announcer(self._world, self._deliveries, self._now)

    def paint_previews(self) -> dict[str, bytes]:
        """The pictures at the preview addresses of all styles. Blocking: paints for about a second."""
        painted = {}
        for style in self.styles:
            file = self._context.preview_file(style.id)
            write_preview(style, file)
            painted[self._context.preview_url(style.id)] = file.read_bytes()
        return painted

    @property
    def rate_limit_scale(self) -> float:
        """Multiplies every rate limit; above 0."""
        return self._context.buckets.scale

    @rate_limit_scale.setter
    def rate_limit_scale(self, scale: float) -> None:
        self._context.buckets.scale = scale

    def team_of(self, api_key: str) -> RehearsalTeam:
        return self._world.teams[self._context.team_by_key[api_key]]

    def charged(self, api_key: str) -> float:
        """All credits that this key's team has paid."""
        team = self._context.team_by_key[api_key]
        return sum(entry.credits for entry in self.ledger if entry.team == team and entry.what.endswith(" charge"))

    def style(self, ref: str) -> RehearsalStyle:
        """By id, slug or UUID. Switch `is_active` off to retire it, set `is_text_only`, and so on."""
        return next(style for style in self.styles if style.answers_to(ref))

    def retire_style(self, ref: str) -> None:
        self.style(ref).is_active = False

    def add_style(self, name: str, *, slug: str | None = None, mood: str = "sea") -> RehearsalStyle:
        style = make_style(name, slug, mood, f"{name}, new in the catalogue.", len(self.styles), self._now())
        self.styles.append(style)
        return style

    def make_style_private(self, ref: str, api_key: str) -> None:
        """Only this key's team sees it from now on."""
        self.style(ref).team = self._context.team_by_key[api_key]

    def _routes(self) -> Iterable[web.RouteDef]:
        routes = (
            self._images,
            OutputRoutes(self._context),
            AccountRoutes(self._context),
            FileRoutes(self._context),
            UploadRoutes(self._context),
            CharacterRoutes(self._context),
            EndpointRoutes(self._context, self._tell),
        )
        return (route for each in routes for route in each.table())

    def _settle(self) -> None:
        self._world.settle(self._now())
        while self._world.changes:
            self._announce(self._world.changes.pop(0))

    def _announce(self, change: StateChange) -> None:
        event = WebhookEvent(change.event, self._shown(change), self._now())
        subject = change.subject
        if isinstance(subject, RehearsalImage) and subject.order.webhook_url and change.event in CALLBACK_EVENTS:
            self._keep(self._announcer.call_back(subject, event))
        for endpoint in self._announcer.listeners(change):
            self._tell(endpoint, event)

    def _tell(self, endpoint: RehearsalEndpoint, event: WebhookEvent) -> None:
        self._keep(self._announcer.tell(endpoint, event))

    def _shown(self, change: StateChange) -> dict[str, Any]:
        match change.subject:
            case RehearsalImage() as image:
                return self._images.shown(image)
            case RehearsalEndpoint() as endpoint:
                return show_endpoint(endpoint)
            case RehearsalTeam() as team:
                return show_balance(team, self.faults.answers.billing_mode)
