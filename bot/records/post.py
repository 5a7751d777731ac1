"""Posts and the places where they may go: closed sets of words and frozen rows. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.records.generation import Generation
from bot.records.guild import Place, PlaceKind
from bot.records.job import SubjectTable
from bot.records.training import Training


class PostKind(StrEnum):
    TRAINING_STATUS = "training_status"
    """One message that is edited at milestones; the only kind that is ever posted twice (as an edit)."""
    TRAINING_READY = "training_ready"
    TRAINING_FAILED = "training_failed"
    PICTURES = "pictures"
    PICTURES_LATE = "pictures_late"
    """What of a set was not there when the others were posted: it came, or it is said to be missing."""
    PICTURES_SHOWN = "pictures_shown"
    """Pictures that their member got privately first, and then showed in the channel."""
    PICTURES_FAILED = "pictures_failed"
    KEY_PAUSED = "key_paused"
    LORA_OFFER = "lora_offer"
    """Somebody wants to hand a LoRA over; its receiver accepts or declines."""
    LORA_OFFER_ANSWERED = "lora_offer_answered"
    """What became of it, for whoever offered."""
    LORA_IMPORTED = "lora_imported"
    """An admin gave a member a LoRA that was not trained here."""
    TAKEDOWN = "takedown"
    """Asks whether messages with a member's pictures are to go, because the LoRA that made them was erased."""
    WELCOME = "welcome"
    """The first message to a server that has just invited the bot: how to begin."""
    LEFT = "left"
    """Asks the admin who set the key whether LoRAs are to be removed, because the server removed the bot."""
    LEFTOVER = "leftover"
    """A message with pictures of a member who was erased, and wanted it gone."""
    GALLERY = "gallery"
    PICTURE_REPORT = "picture_report"
    EVENT_PANEL = "event_panel"
    """The one live message of an event, edited as things change."""
    EVENT_BALLOT = "event_ballot"
    EVENT_YEARBOOK = "event_yearbook"
    """The yearbook for everybody, sent when the host says so."""
    EVENT_ANNOUNCEMENT = "event_announcement"
    """An announcement: opened, photos chosen, LoRAs ready, paused, winner, cancelled."""
    APPROVAL = "approval"
    """Asks the moderators whether a picture may go to the gallery or stand for a vote."""
    LOG_LINE = "log_line"
    """One entry of the server's log, in the channel that its admins chose for it."""
    DEPICTION = "depiction"
    """Asks a member privately whether photos that they were named in may be used."""
    VOTE_REMINDER = "vote_reminder"
    """Tells a member privately that they have not voted in an event they take part in."""
    PHOTO_REQUEST = "photo_request"
    """Asks the author of a message privately whether its photos may be used."""
    PHOTO_REQUEST_ANSWERED = "photo_request_answered"
    """What became of it, for whoever asked."""
    LIKENESS_OWNER = "likeness_owner"
    """Somebody says that they are in a LoRA; its owner decides."""
    LIKENESS_MODERATORS = "likeness_moderators"
    """The same for the moderators."""
    LIKENESS_DECIDED = "likeness_decided"
    """What was decided, for whoever said it."""

    RECEIPT = "receipt"
    """Tells a member privately what the providers answered about each thing of theirs that was to go."""

    @property
    def subject(self) -> SubjectTable:
        """The table of the rows that posts of this kind are about."""
        return _SUBJECTS[self]


_SUBJECTS = {
    PostKind.TRAINING_STATUS: SubjectTable.TRAINING,
    PostKind.TRAINING_READY: SubjectTable.TRAINING,
    PostKind.TRAINING_FAILED: SubjectTable.TRAINING,
    PostKind.PICTURES: SubjectTable.GENERATION,
    PostKind.PICTURES_LATE: SubjectTable.GENERATION,
    PostKind.PICTURES_SHOWN: SubjectTable.GENERATION,
    PostKind.PICTURES_FAILED: SubjectTable.GENERATION,
    PostKind.KEY_PAUSED: SubjectTable.KEY,
    PostKind.LORA_OFFER: SubjectTable.OFFER,
    PostKind.LORA_OFFER_ANSWERED: SubjectTable.OFFER,
    PostKind.LORA_IMPORTED: SubjectTable.LORA,
    PostKind.TAKEDOWN: SubjectTable.GENERATION,
    PostKind.WELCOME: SubjectTable.GUILD,
    PostKind.LEFT: SubjectTable.KEY,
    PostKind.LEFTOVER: SubjectTable.MESSAGE,
    PostKind.GALLERY: SubjectTable.PICTURE,
    PostKind.PICTURE_REPORT: SubjectTable.REPORT,
    PostKind.EVENT_PANEL: SubjectTable.EVENT,
    PostKind.EVENT_BALLOT: SubjectTable.EVENT,
    PostKind.EVENT_YEARBOOK: SubjectTable.EVENT,
    PostKind.EVENT_ANNOUNCEMENT: SubjectTable.ANNOUNCEMENT,
    PostKind.DEPICTION: SubjectTable.DEPICTION,
    PostKind.VOTE_REMINDER: SubjectTable.ENTRANT,
    PostKind.RECEIPT: SubjectTable.REMOVAL,
    PostKind.LOG_LINE: SubjectTable.LOG,
    PostKind.APPROVAL: SubjectTable.APPROVAL,
    PostKind.PHOTO_REQUEST: SubjectTable.REQUEST,
    PostKind.PHOTO_REQUEST_ANSWERED: SubjectTable.REQUEST,
    PostKind.LIKENESS_OWNER: SubjectTable.LIKENESS,
    PostKind.LIKENESS_MODERATORS: SubjectTable.LIKENESS,
    PostKind.LIKENESS_DECIDED: SubjectTable.LIKENESS,
}


class PostStatus(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    """A message may have reached Discord. The nonce, or later the channel's history, shows whether it did."""
    POSTED = "posted"
    KEPT = "kept"
    """No place would take it; it waits for its owner under /jobs."""
    WITHDRAWN = "withdrawn"
    """What it showed was deleted: its message is gone, or never was sent."""


OF_A_SET = (PostKind.PICTURES, PostKind.PICTURES_LATE, PostKind.PICTURES_SHOWN)
"""Messages that have pictures of one order."""


def channels_of(job: Training | Generation) -> tuple[Place, ...]:
    """The channel or thread that it was ordered in, then the thread's channel."""
    channels = [job.channel_id] if job.parent_id is None else [job.channel_id, job.parent_id]
    return tuple(Place(PlaceKind.CHANNEL, channel) for channel in channels)


def places_for(job: Training | Generation) -> tuple[Place, ...]:
    """Where a job's outcome may go, best first: its channel or thread, the thread's channel, a private message."""
    return (*channels_of(job), Place(PlaceKind.USER, job.user_id))


@dataclass(frozen=True, slots=True)
class Post:
    id: int
    kind: PostKind
    subject_table: SubjectTable
    subject_id: int
    guild_id: int
    user_id: int
    nonce: str
    places: tuple[Place, ...]
    place_index: int
    status: PostStatus
    attempt: int
    due_at: datetime | None
    lease_owner: str | None
    message_id: int | None
    revision: int
    sending_at: datetime | None
    banner: str | None
    """The name of the file that the message of a panel shows; None: not known, or no file."""
    banner_id: int | None
    """Discord's id of that file."""
    created_at: datetime


def public_place(post: Post) -> Place | None:
    """The channel in which a post's message can be seen, if it was posted in one and not deleted at once."""
    if not post.message_id or post.place_index >= len(post.places):
        return None
    place = post.places[post.place_index]
    return place if place.kind is PlaceKind.CHANNEL else None
