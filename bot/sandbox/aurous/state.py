"""The state of the rehearsal Aurous Labs: things and credits; it changes with time. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from bot.sandbox.aurous.catalogue import make_catalogue
from bot.sandbox.aurous.records import (
    FILE_LIFE,
    AurousTimings,
    ImageFault,
    LedgerEntry,
    RehearsalCharacter,
    RehearsalEndpoint,
    RehearsalFile,
    RehearsalImage,
    RehearsalTeam,
    UploadTicket,
)
from bot.sandbox.aurous.switches import AurousFaults

BALANCE_LOW_PAUSE = timedelta(hours=1)
_ENDINGS = {
    ImageFault.FAIL: "failed",
    ImageFault.CANCELLED: "cancelled",
    ImageFault.EXPIRED: "expired",
    ImageFault.MODERATION_REJECTED: "moderation_rejected",
}


@dataclass(frozen=True, slots=True)
class StateChange:
    """A change that webhooks report; `subject` is the changed thing."""

    event: str
    team: str
    subject: RehearsalImage | RehearsalTeam | RehearsalEndpoint


class Owned(Protocol):
    @property
    def team(self) -> str: ...


OwnedT = TypeVar("OwnedT", bound=Owned)


class AurousWorld:
    """The state behind the routes. Call `settle` before reading it; `changes` are still to be announced."""

    def __init__(self, teams: Iterable[RehearsalTeam], timings: AurousTimings, faults: AurousFaults) -> None:
        self.teams = {team.name: team for team in teams}
        self.timings = timings
        self.faults = faults
        self.styles = make_catalogue()
        self.images: dict[str, RehearsalImage] = {}
        self.files: dict[str, RehearsalFile] = {}
        self.tickets: dict[str, UploadTicket] = {}
        self.characters: dict[str, RehearsalCharacter] = {}
        self.endpoints: dict[str, RehearsalEndpoint] = {}
        self.ledger: list[LedgerEntry] = []
        self.changes: list[StateChange] = []

    def can_pay(self, team_name: str, amount: float) -> bool:
        team = self.teams[team_name]
        return self.faults.answers.billing_mode == "exempt" or team.credits - team.held >= amount

    def hold(self, team_name: str, kind: str, ref: str, amount: float) -> float:
        """Set credits aside and return how many; ask `can_pay` first."""
        amount = 0 if self.faults.answers.billing_mode == "exempt" else amount
        self.teams[team_name].held += amount
        self.ledger.append(LedgerEntry(team_name, f"{kind} hold", ref, amount))
        return amount

    def end_hold(self, team_name: str, kind: str, ref: str, held: float, charged: float, now: datetime) -> None:
        """Charge part or all of what was held and give back the rest."""
        team = self.teams[team_name]
        team.held -= held
        team.credits -= charged
        if charged:
            self.ledger.append(LedgerEntry(team_name, f"{kind} charge", ref, charged))
        if held > charged:
            self.ledger.append(LedgerEntry(team_name, f"{kind} release", ref, charged - held))
        self._warn_of_low_balance(team, now)

    def _warn_of_low_balance(self, team: RehearsalTeam, now: datetime) -> None:
        threshold = self.faults.balance_low_threshold
        if threshold is None or team.credits > threshold:
            return
        if team.balance_low_at is None or now - team.balance_low_at >= BALANCE_LOW_PAUSE:
            team.balance_low_at = now
            self.changes.append(StateChange("usage.balance_low", team.name, team))

    def end_image(self, image: RehearsalImage, status: str, now: datetime) -> None:
        image.status, image.completed_at = status, now
        if status == "succeeded":
            image.charged = image.held * image.count / image.order.count
        elif status != "cancelled":
            image.error = self.faults.failure_text
        self.end_hold(image.team, "image", image.id, image.held, image.charged, now)
        event = {"succeeded": "completed", "cancelled": "cancelled"}.get(status, "failed")
        self.changes.append(StateChange(f"image.{event}", image.team, image))

    def settle(self, now: datetime) -> None:
        """Bring everything to its state at `now`."""
        for file_id in [file.id for file in self.files.values() if now >= file.created_at + FILE_LIFE]:
            del self.files[file_id]
        if not self.faults.hold_images:
            for image in self.images.values():
                self._advance_image(image, now)

    def next_due(self) -> datetime | None:
        """When the next state ends; None when nothing is unfinished or everything is held."""
        live = [] if self.faults.hold_images else [image for image in self.images.values() if image.is_live]
        return min((self._image_due(image) for image in live), default=None)

    def _image_due(self, image: RehearsalImage) -> datetime:
        lasts = self.timings.pending_s if image.status == "pending" else self.timings.processing_s
        return image.state_since + timedelta(seconds=lasts)

    def _advance_image(self, image: RehearsalImage, now: datetime) -> None:
        while image.is_live and self._image_due(image) <= now:
            image.state_since = self._image_due(image)
            if image.status == "pending":
                image.status, image.started_at = "processing", image.state_since
                continue
            if image.fault is ImageFault.PARTIAL:
                image.count = max(1, image.count - 1)
            ending = "succeeded" if image.fault is None else _ENDINGS.get(image.fault, "succeeded")
            self.end_image(image, ending, image.state_since)


def own(things: dict[str, OwnedT], thing_id: str, team: str) -> OwnedT | None:
    """The thing with this id, if it is this team's."""
    found = things.get(thing_id)
    return found if found is not None and found.team == team else None


def newest_first(things: dict[str, OwnedT], team: str) -> list[OwnedT]:
    """A team's things, newest first; a dict keeps the order in which they were added."""
    return [thing for thing in reversed(things.values()) if thing.team == team]
