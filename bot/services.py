"""The services a running Darkroom has, in one bag for the cogs."""

from dataclasses import dataclass

from bot.budget import BudgetService
from bot.datasets import DatasetService
from bot.endpoints import EndpointService
from bot.events.ballot import BallotService
from bot.events.contributions import ContributionService
from bot.events.service import EventService
from bot.events.yearbook import YearbookService
from bot.generation.service import GenerationService
from bot.guilds import GuildService
from bot.keys import KeyService
from bot.loras import LoraService
from bot.outbox import OutboxService
from bot.photos.prepare import PhotoDesk
from bot.picture_reports import ReportService
from bot.pictures import PictureService
from bot.privacy import PrivacyService
from bot.selftest import SelfTestService
from bot.sharing import SharingService
from bot.storage.database import Database
from bot.styles import StyleService
from bot.training.service import TrainingService
from bot.upkeep import UpkeepService


@dataclass(frozen=True, slots=True)
class Services:
    database: Database
    desk: PhotoDesk
    keys: KeyService
    datasets: DatasetService
    trainings: TrainingService
    loras: LoraService
    styles: StyleService
    upkeep: UpkeepService
    endpoints: EndpointService
    selftest: SelfTestService
    sharing: SharingService
    generations: GenerationService
    pictures: PictureService
    reports: ReportService
    outbox: OutboxService
    privacy: PrivacyService
    guilds: GuildService
    events: EventService
    contributions: ContributionService
    budgets: BudgetService
    ballots: BallotService
    yearbooks: YearbookService
