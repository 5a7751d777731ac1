"""What the author of photos is asked, and what the asker is told. Pure."""

from bot.clock import Timings
from bot.datasets.rules import PERMISSION, consent_sentence, kept_for
from bot.records.dataset import Dataset
from bot.records.question import RequestStatus

ENDED = {
    RequestStatus.GRANTED: "You have said yes already. Thank you!",
    RequestStatus.DONE: "You have said yes already. Thank you!",
    RequestStatus.FAILED: "You have said yes already. Thank you!",
    RequestStatus.REFUSED: "You have said no already, and nothing was used.",
    RequestStatus.EXPIRED: "The time to answer is over, so nothing was used.",
}


def author_sentence(dataset: Dataset | None, timings: Timings) -> str:
    """The author's consent; None: new pictures are made from the photos."""
    if dataset is None:
        return f"{PERMISSION}They may be sent to this server's provider, once, to make new pictures from them."
    return consent_sentence(dataset.subject_kind, kept_for(dataset, timings))
