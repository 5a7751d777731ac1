"""How the services and the lane of events are put together."""

from dataclasses import dataclass

from bot.budget import BudgetService
from bot.datasets import DatasetService
from bot.events.ballot import BallotService
from bot.events.contributions import ContributionService
from bot.events.packs import PackRunner
from bot.events.service import EventService
from bot.events.stagework import StageWork
from bot.events.steps import EventSteps
from bot.events.transitions import Transitions
from bot.events.venue import Venue
from bot.events.yearbook import YearbookService
from bot.generation.service import GenerationService
from bot.keys import KeyService
from bot.resources import Resources
from bot.rights import Members
from bot.selftest import SelfTestService
from bot.services import Services
from bot.training.service import TrainingService


@dataclass(frozen=True, slots=True)
class EventServices:
    events: EventService
    contributions: ContributionService
    budgets: BudgetService
    ballots: BallotService
    yearbooks: YearbookService


def build_event_services(
    opened: Resources,
    key_service: KeyService,
    dataset_service: DatasetService,
    training_service: TrainingService,
    generation_service: GenerationService,
    selftest: SelfTestService,
    *,
    members: Members,
    venue: Venue,
) -> EventServices:
    database, doorbell, clock, pace = opened.database, opened.doorbell, opened.clock, opened.pace
    contributions = ContributionService(
        database, dataset_service, members, opened.spool, doorbell=doorbell, clock=clock, pace=pace
    )
    budgets = BudgetService(
        database,
        key_service,
        training_service,
        generation_service,
        prices=opened.prices,
        doorbell=doorbell,
        clock=clock,
        pace=pace,
    )
    events = EventService(
        database,
        key_service,
        selftest,
        venue,
        members,
        budgets,
        contributions,
        doorbell=doorbell,
        clock=clock,
        pace=pace,
    )
    ballots = BallotService(database, opened.spool, doorbell=doorbell, clock=clock, pace=pace)
    yearbooks = YearbookService(database, opened.spool, opened.desk, clock=clock)
    return EventServices(events, contributions, budgets, ballots, yearbooks)


def build_event_steps(opened: Resources, services: Services, *, members: Members, venue: Venue) -> EventSteps:
    database, clock, pace = opened.database, opened.clock, opened.pace
    packs = PackRunner(database, services.budgets)
    return EventSteps(
        database,
        StageWork(database, services.keys, services.budgets, packs, services.contributions, venue),
        Transitions(database, opened.spool, doorbell=opened.doorbell, clock=clock, pace=pace),
        services.contributions,
        services.ballots,
        services.budgets,
        venue,
        members,
        clock=clock,
        pace=pace,
    )
