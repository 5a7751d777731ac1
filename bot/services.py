"""Builds the services for the cogs and the lanes for the engine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.clock import Timings
from bot.datasets.service import DatasetService
from bot.engine import Lane
from bot.events.ballot.reminding import ReminderService
from bot.events.ballot.results import ResultService
from bot.events.ballot.service import BallotService
from bot.events.ballot.winners import WinnerService
from bot.events.banner import BannerService
from bot.events.budget import BudgetService
from bot.events.outcomes import EventOutcomes
from bot.events.packs import PackRunner
from bot.events.photos.depictions import DepictionService
from bot.events.photos.review import ReviewService
from bot.events.photos.service import ContributionService
from bot.events.planning.opening import OpeningService
from bot.events.service import EventService
from bot.events.stages import StageRunner
from bot.events.steps import EventSteps
from bot.events.yearbook.gallery import GalleryService
from bot.events.yearbook.service import YearbookService
from bot.generation.acceptance import OrderAcceptance
from bot.generation.outcomes import GenerationOutcomes
from bot.generation.references import References
from bot.generation.service import GenerationService
from bot.generation.steps import GenerationSteps
from bot.generation.submission import GenerationSubmission
from bot.guilds import GuildService
from bot.jobs.history import HistoryService
from bot.keys.endpoints import EndpointService
from bot.keys.reachability import ReachabilityService
from bot.keys.service import KeyService
from bot.keys.steps import SyncService
from bot.likeness.service import LikenessService
from bot.likeness.steps import LikenessSteps
from bot.limits.service import LimitService
from bot.loras.service import LoraService
from bot.loras.sharing import SharingService
from bot.loras.styles import StyleService
from bot.moderation.service import ModerationService
from bot.outbox import OutboxService, PostRows
from bot.pauses import longest_pauses, waiting_for_deletion
from bot.photos.pool import PhotoPool
from bot.pictures.approvals import ApprovalService
from bot.pictures.reports import ReportService
from bot.pictures.service import PictureService
from bot.pictures.showing import ShowingService
from bot.pictures.takedowns import TakedownService
from bot.policy import Policy
from bot.privacy.export import ExportService
from bot.privacy.service import PrivacyService
from bot.questions.preferences import PreferenceService
from bot.questions.service import QuestionService
from bot.records.dataset import Dataset
from bot.records.event import Event
from bot.records.generation import Generation
from bot.records.guild import Guild
from bot.records.job import LaneName
from bot.records.key import ApiKeyRow
from bot.records.likeness import LikenessClaim
from bot.records.question import PhotoRequest
from bot.records.removal import Removal
from bot.records.training import Training
from bot.removals.outcomes import RemovalOutcomes
from bot.removals.service import RemovalService
from bot.removals.steps import RemovalSteps
from bot.requests.service import RequestService
from bot.requests.steps import RequestSteps
from bot.resources import Resources
from bot.storage import policy_tables, question_tables, tables
from bot.storage.database import Database
from bot.storage.due import Claim, DueRows
from bot.storage.events import tables as event_tables
from bot.training.imports import ImportService
from bot.training.outcomes import TrainingOutcomes
from bot.training.outlook import OutlookService
from bot.training.service import TrainingService
from bot.training.steps import TrainingSteps


@dataclass(frozen=True, slots=True)
class Services:
    database: Database
    pool: PhotoPool
    policy: Policy
    timings: Timings
    keys: KeyService
    datasets: DatasetService
    trainings: TrainingService
    outlooks: OutlookService
    imports: ImportService
    loras: LoraService
    styles: StyleService
    sync: SyncService
    endpoints: EndpointService
    reachability: ReachabilityService
    sharing: SharingService
    orders: OrderAcceptance
    generations: GenerationService
    pictures: PictureService
    history: HistoryService
    showing: ShowingService
    takedowns: TakedownService
    reports: ReportService
    approvals: ApprovalService
    outbox: OutboxService
    privacy: PrivacyService
    exports: ExportService
    guilds: GuildService
    limits: LimitService
    removals: RemovalService
    moderation: ModerationService
    requests: RequestService
    questions: QuestionService
    preferences: PreferenceService
    likeness: LikenessService
    events: EventService
    banners: BannerService
    openings: OpeningService
    contributions: ContributionService
    depictions: DepictionService
    reviews: ReviewService
    budgets: BudgetService
    ballots: BallotService
    results: ResultService
    reminders: ReminderService
    winners: WinnerService
    yearbooks: YearbookService
    galleries: GalleryService


CONCURRENCY = {
    LaneName.TRAININGS: 16,
    LaneName.GENERATIONS: 16,
    LaneName.POSTS: 8,
    LaneName.DATASETS: 2,
    LaneName.KEYS: 4,
    LaneName.GUILDS: 1,
    LaneName.EVENTS: 4,
    LaneName.REMOVALS: 4,
    LaneName.REQUESTS: 4,
    LaneName.LIKENESS: 2,
}
"""How many steps of each lane run at once."""


def build_services(opened: Resources) -> Services:
    key_service = KeyService(opened)
    endpoint_service = EndpointService(opened, key_service)
    reachability = ReachabilityService(opened, key_service, endpoint_service)
    dataset_service = DatasetService(opened)
    training_service = TrainingService(opened, key_service, dataset_service)
    references = References(opened)
    orders = OrderAcceptance(opened, key_service, references)
    depictions, reviews = DepictionService(opened), ReviewService(opened, dataset_service)
    exports = ExportService(opened)
    openings = OpeningService(opened, key_service, reachability)
    budgets = BudgetService(opened, key_service, training_service, orders)
    generation_service = GenerationService(opened, key_service, references, orders, budgets.policy)
    picture_service = PictureService(opened, key_service, generation_service)
    return Services(
        database=opened.database,
        pool=opened.pool,
        policy=opened.policy,
        timings=opened.timings,
        keys=key_service,
        datasets=dataset_service,
        trainings=training_service,
        outlooks=OutlookService(opened),
        imports=ImportService(opened, key_service),
        loras=LoraService(opened),
        styles=StyleService(opened.database, key_service),
        sync=SyncService(opened, key_service, endpoint_service),
        endpoints=endpoint_service,
        reachability=reachability,
        sharing=SharingService(opened),
        orders=orders,
        generations=generation_service,
        pictures=picture_service,
        history=HistoryService(opened),
        showing=ShowingService(opened),
        takedowns=TakedownService(opened, picture_service),
        reports=ReportService(opened),
        approvals=ApprovalService(opened),
        outbox=OutboxService(opened),
        privacy=PrivacyService(opened, key_service, depictions, exports),
        exports=exports,
        events=EventService(opened, openings, budgets, depictions),
        banners=BannerService(opened, references),
        openings=openings,
        contributions=ContributionService(opened, dataset_service),
        depictions=depictions,
        reviews=reviews,
        budgets=budgets,
        ballots=BallotService(opened),
        results=ResultService(opened),
        reminders=ReminderService(opened),
        winners=WinnerService(opened),
        yearbooks=YearbookService(opened),
        galleries=GalleryService(opened),
        guilds=GuildService(opened),
        limits=LimitService(opened),
        removals=RemovalService(opened),
        moderation=ModerationService(opened),
        requests=RequestService(opened, dataset_service),
        questions=QuestionService(opened),
        preferences=PreferenceService(opened),
        likeness=LikenessService(opened),
    )


def build_lanes(opened: Resources, services: Services) -> list[Lane]:
    """One lane for each table whose rows are jobs."""
    database, pauses = opened.database, longest_pauses(opened.timings)
    deletions = waiting_for_deletion()

    def rows(name: LaneName, table: sa.Table, record: type[Any]) -> DueRows[Any]:
        return DueRows(database, table, record, pauses.get(name, ()), deletions.get(name))

    steps: dict[LaneName, tuple[DueRows[Any], Callable[[Claim[Any]], Awaitable[None]]]] = {
        LaneName.TRAININGS: (
            rows(LaneName.TRAININGS, tables.trainings, Training),
            TrainingSteps(opened, services.keys, TrainingOutcomes(opened)).advance,
        ),
        LaneName.GENERATIONS: (
            rows(LaneName.GENERATIONS, tables.generations, Generation),
            _generation_steps(opened, services).advance,
        ),
        LaneName.POSTS: (PostRows(database, services.outbox, pauses[LaneName.POSTS]), services.outbox.advance),
        LaneName.DATASETS: (rows(LaneName.DATASETS, tables.datasets, Dataset), services.datasets.advance),
        LaneName.KEYS: (rows(LaneName.KEYS, tables.api_keys, ApiKeyRow), services.sync.advance),
        LaneName.GUILDS: (rows(LaneName.GUILDS, tables.guilds, Guild), services.guilds.advance),
        LaneName.REQUESTS: (
            rows(LaneName.REQUESTS, question_tables.photo_requests, PhotoRequest),
            RequestSteps(opened, services.datasets, services.orders).advance,
        ),
        LaneName.LIKENESS: (
            rows(LaneName.LIKENESS, question_tables.likeness_claims, LikenessClaim),
            LikenessSteps(opened).advance,
        ),
        LaneName.EVENTS: (rows(LaneName.EVENTS, event_tables.events, Event), _event_steps(opened, services).advance),
        LaneName.REMOVALS: (
            rows(LaneName.REMOVALS, policy_tables.removals, Removal),
            RemovalSteps(opened, services.keys, RemovalOutcomes(opened)).advance,
        ),
    }
    return [Lane(name, due, advance, CONCURRENCY[name]) for name, (due, advance) in steps.items()]


def _generation_steps(opened: Resources, services: Services) -> GenerationSteps:
    outcomes = GenerationOutcomes(opened)
    submission = GenerationSubmission(opened, services.keys, References(opened), outcomes)
    return GenerationSteps(opened, services.keys, outcomes, submission)


def _event_steps(opened: Resources, services: Services) -> EventSteps:
    packs = PackRunner(opened.database, services.budgets)
    stages = StageRunner(opened.database, services.keys, services.budgets, packs, services.reviews, opened.venue)
    return EventSteps(
        opened,
        stages,
        EventOutcomes(opened),
        services.depictions,
        services.reviews,
        services.ballots,
        services.budgets,
        services.openings,
    )
