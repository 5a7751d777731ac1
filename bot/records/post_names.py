"""What a post is called at Discord: the nonce of its message, and the id of its card. Pure."""

from collections.abc import Mapping

from bot.records.post import PostKind

KIND_CODES: Mapping[PostKind, str] = {
    PostKind.TRAINING_STATUS: "ts",
    PostKind.TRAINING_READY: "tr",
    PostKind.TRAINING_FAILED: "tf",
    PostKind.PICTURES: "pi",
    PostKind.PICTURES_LATE: "pl",
    PostKind.PICTURES_SHOWN: "ps",
    PostKind.PICTURES_FAILED: "pf",
    PostKind.KEY_PAUSED: "kp",
    PostKind.LORA_OFFER: "lo",
    PostKind.LORA_OFFER_ANSWERED: "la",
    PostKind.LORA_IMPORTED: "li",
    PostKind.TAKEDOWN: "td",
    PostKind.WELCOME: "we",
    PostKind.LEFT: "lg",
    PostKind.LEFTOVER: "lm",
    PostKind.GALLERY: "ga",
    PostKind.PICTURE_REPORT: "pr",
    PostKind.EVENT_PANEL: "ep",
    PostKind.EVENT_BALLOT: "eb",
    PostKind.EVENT_YEARBOOK: "ey",
    PostKind.EVENT_ANNOUNCEMENT: "ea",
    PostKind.DEPICTION: "de",
    PostKind.VOTE_REMINDER: "vr",
    PostKind.RECEIPT: "re",
    PostKind.LOG_LINE: "ll",
    PostKind.APPROVAL: "ap",
    PostKind.PHOTO_REQUEST: "rq",
    PostKind.PHOTO_REQUEST_ANSWERED: "ra",
    PostKind.LIKENESS_OWNER: "co",
    PostKind.LIKENESS_MODERATORS: "cm",
    PostKind.LIKENESS_DECIDED: "cd",
}
"""The place of a kind is part of the ids of its cards: new ones come at the end."""

INSTALLATION, SUBJECT = 6, 8
"""Where in a nonce the name of the installation ends, and where the number of what the post is about begins."""
ANEW = "ghijklmnopqrstuvwxyz"
"""Letters that are no hexadecimal digits."""


def nonce_of(installation: str, kind: PostKind, subject_id: int, instead_of: str | None = None) -> str:
    """Unlike that of any other post: codes of fixed width, then the id in hexadecimal.

    `instead_of` is the nonce of an earlier post of this kind about this row: then one of ANEW follows, the next each
    time. For a while Discord answers an old nonce with its old message, or with an error when that was deleted.
    At most 25 characters, which is what Discord takes (/docs/resources/message): 6, 2, 16 of a 64-bit id, and 1.
    """
    first = f"{installation}{KIND_CODES[kind]}{subject_id:x}"
    if instead_of is None:
        return first
    turn = ANEW.find(instead_of[-1:]) + 1
    return first + ANEW[turn % len(ANEW)]


FIRST_ID = 2**30
"""Discord takes 32-bit integers, and numbers from 1 on what comes without an id (/docs/components/reference)."""
OF_A_KIND = 2**24
"""Ids of each of at most 64 kinds."""


def component_id(nonce: str) -> int:
    """The id that the card of the post with this nonce has in every version of its message; below 2**31.

    Made from the nonce, and not from the id of a row: when a copy of the database was put back, an event makes its
    posts anew with their old nonces, in rows with other ids. Two posts of a kind about rows share an id when their
    rows are OF_A_KIND apart; a post that was added anew has the id of the one before.
    """
    code, number = nonce[INSTALLATION:SUBJECT], nonce[SUBJECT:].rstrip(ANEW)
    return FIRST_ID + list(KIND_CODES.values()).index(code) * OF_A_KIND + int(number, 16) % OF_A_KIND
