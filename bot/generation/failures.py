"""Sentences for members about failed generations: what happened and what to do next. Pure."""

from collections.abc import Collection

from bot.errors import Missing, OutOfCredits, Refused
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.text import cite, quote

REASON_MAX = 300
"""Characters of the provider's reason that are shown."""

UNKNOWN_OUTCOME = (
    "We could not find out whether the provider took this order, so it is not sent again. "
    "An admin can look in the provider's dashboard."
)
UNREACHABLE = "The provider could not be reached for a day. Please send `/imagine` again."
ARCHIVED = "This LoRA has been archived and cannot be used any more."
RETIRED = "The provider no longer offers this style. `/styles` shows the others."
REFERENCES_GONE = "The reference pictures were no longer there when its turn came. Please attach them again."
CANCELLED = "You cancelled these pictures."
CANCELLED_BY_ADMIN = "An admin of this server cancelled these pictures. They cost nothing."
KEY_REMOVED = "The API key for these pictures was removed before they were finished."
FORGOTTEN = (
    "The provider took this order and says again and again that it does not know it. Please send `/imagine` again."
)
EXPIRED = "The provider deleted these pictures before we could fetch them."
EMPTY = "The provider finished without any picture. Please send `/imagine` again."
NEVER_FINISHED = "The provider has not finished these pictures for a day."
NEVER_FETCHED = "The pictures were made but could not be fetched within a day."
UNSAFE = "The pictures could not be fetched safely. The person who runs this bot can help."


GONE_PICTURE = "the provider made it and no longer has it"
NEVER_FETCHED_PICTURE = "it was made but could not be fetched within a day"
UNSAFE_PICTURE = "it could not be fetched safely; the person who runs this bot can help"


def incomplete(numbers: Collection[int], total: int, why: str) -> str:
    """Names the pictures of a set that are missing."""
    named = ", ".join(map(str, numbers))
    return f"Picture{'s' * (len(numbers) > 1)} {named} of {total} {'are' if len(numbers) > 1 else 'is'} missing: {why}."


def failed_at_provider(provider: ProviderName, said: str | None) -> str:
    return f"{provider.label} could not make the pictures: {_reason(said)}."


def key_rejected(provider: ProviderName) -> str:
    return f"{provider.label} does not accept this server's key; its admin has been told."


def out_of_credits(error: OutOfCredits, held: int = 0) -> str:
    """`held`: credits that will still be charged for trainings under way. The balance is for admins alone."""
    needs = "" if error.required is None else f" This takes {error.required} credits."
    set_aside = f" {held} credits are set aside for trainings under way." if held else ""
    return f"This server does not have enough credits left.{needs}{set_aside} Ask an admin to top up the account."


def gone_at_provider(lora: Lora) -> str:
    word = "character" if lora.is_character else "LoRA"
    return f"{lora.provider.label} no longer has the {word} {quote(lora.name, 40)}, so nothing could be made with it."


def refused(provider: ProviderName, error: Refused | Missing) -> str:
    details = error.details if isinstance(error, Refused) else {}
    said = "; ".join([error.sentence, *(", ".join(texts) for texts in details.values())]).strip("; ")
    return f"{provider.label} refused the order: {_reason(said)}."


def _reason(said: str | None) -> str:
    return cite(said.rstrip("."), REASON_MAX) if said else "no reason was given"
