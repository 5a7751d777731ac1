"""The services a running Darkroom has, in one bag for the cogs."""

from dataclasses import dataclass

from bot.datasets import DatasetService
from bot.generation.service import GenerationService
from bot.keys import KeyService
from bot.loras import LoraService
from bot.outbox import OutboxService
from bot.photos.prepare import PhotoDesk
from bot.privacy import PrivacyService
from bot.storage.database import Database
from bot.training.service import TrainingService


@dataclass(frozen=True, slots=True)
class Services:
    database: Database
    desk: PhotoDesk
    keys: KeyService
    datasets: DatasetService
    trainings: TrainingService
    loras: LoraService
    generations: GenerationService
    outbox: OutboxService
    privacy: PrivacyService
