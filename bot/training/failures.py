"""Sentences for members about trainings that failed or cannot be cancelled: what happened, what to do. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from bot.errors import Refused
from bot.records.key import ProviderName
from bot.records.training import Training, TrainingStatus
from bot.text import cite, lasting

REASON_MAX = 300
"""Characters of the provider's reason that are shown."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`retry`: the same photos can be started again, if they are still on disk.

    `may_be_paid`: the provider has taken the order, or may have, and has not said that it failed.
    """

    sentence: str
    retry: bool
    may_be_paid: bool = False


PHOTOS_MISSING = Failure(
    "Not all of the photos are on the bot’s disk any more, so nothing was sent or charged. Please send `/train` again.",
    retry=False,
)
NEVER_TAKEN = Failure(
    "The provider did not take the order after several tries. Nothing was charged. Please try again later.", retry=True
)
GONE_AT_PROVIDER = Failure(
    "The provider says again and again that it does not know this training; "
    "somebody may have deleted it in its dashboard. "
    "Ask an admin to look there.",
    retry=True,
    may_be_paid=True,
)

CANCELLED_BY_ADMIN = "An admin of this server cancelled this training before it was sent. It cost nothing."
OF_AN_EVENT = "This training belongs to an event. Its host can cancel the event as long as nothing was sent."


def has_it(provider: ProviderName) -> str:
    return f"It is too late to cancel: {provider.label} has this training already and offers no way to stop one."


def cannot_ask(provider: ProviderName) -> str:
    return (
        f"{provider.label} could not be asked just now whether it has this training already. "
        "Please press Cancel again in a moment."
    )


def too_late(training: Training) -> str:
    """Why a training that is not queued any more cannot be cancelled."""
    provider = training.provider
    match training.status:
        case TrainingStatus.SUBMITTING:
            return (
                f"It is too late to cancel: this training is just being handed over to {provider.label}, "
                "which may have taken it already."
            )
        case TrainingStatus.SUBMITTED | TrainingStatus.TRAINING:
            return has_it(provider)
    return "There is nothing left to cancel: this training has ended. `/jobs` shows how."


def photos_expired(kept: timedelta) -> Failure:
    return Failure(
        f"The photos were deleted after {lasting(kept)}, before they could be sent. Nothing was charged. "
        "Please send `/train` again.",
        retry=False,
    )


def out_of_credits(provider: ProviderName, required: int | None, reserved: int) -> Failure:
    """Both numbers in credits. `reserved` will still be charged for trainings under way."""
    needs = f"A training takes {required} {provider.label} credits, and" if required is not None else "For a training,"
    held = f": {reserved} are set aside for trainings under way" if reserved else ""
    return Failure(
        f"{needs} this server does not have enough left{held}. Nothing was charged. "
        f"Ask an admin to top up the {provider.label} account, then try again.",
        retry=True,
    )


def refused(provider: ProviderName, error: Refused) -> Failure:
    places = "; ".join(f"{path}: {', '.join(messages)}" for path, messages in list(error.details.items())[:5])
    where = f" ({cite(places, REASON_MAX)})" if places else ""
    return Failure(
        f"{provider.label} refused the order: {_reason(error.sentence)}{where}. Nothing was charged.", retry=True
    )


def failed_at_provider(training: Training, said: str | None, balance: int | None) -> Failure:
    """`balance` is the present one in credits. The sentence promises nothing about refunds, and names no balance."""
    reason = f"{training.provider.label} could not finish the training: {_reason(said)}."
    if balance is None or training.balance_before is None:
        money = f"Ask an admin to compare the balance in the {training.provider.label} dashboard."
    elif balance < training.balance_before:
        money = f"This server has {training.balance_before - balance} credits less than before this training."
    else:
        money = "This server has no fewer credits than before this training."
    return Failure(f"{reason} {money}", retry=True)


def unknown_outcome(training: Training) -> Failure:
    return Failure(
        f"We could not find out whether {training.provider.label} took this order, so nothing more is sent. "
        f"Ask an admin to look for “·{training.marker}” in the {training.provider.label} dashboard.",
        retry=False,
        may_be_paid=True,
    )


def never_finished(training: Training) -> Failure:
    return Failure(
        f"{training.provider.label} has not finished this training for more than a day. "
        f"Ask an admin to look for “·{training.marker}” in the {training.provider.label} dashboard.",
        retry=False,
        may_be_paid=True,
    )


def hidden(training: Training) -> Failure:
    """It was paid for with another key, under which it may still become a LoRA."""
    return Failure(
        f"This server's new {training.provider.label} key does not see this training, which began with the old one. "
        f"Ask an admin to look for “·{training.marker}” in the dashboard of the old key's account.",
        retry=False,
        may_be_paid=True,
    )


def _reason(said: str | None) -> str:
    return cite(said.rstrip("."), REASON_MAX) if said else "no reason was given"
