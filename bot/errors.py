"""Every error Darkroom raises on purpose.

DarkroomError
├── UserError              a sentence for the person; nothing is broken
│   ├── NotAllowed         you may not do this here
│   ├── NotFound           it does not exist, or is not yours (the two are never told apart)
│   └── NoKey              the guild has no usable API key
├── StartupError           a sentence for the operator; the process ends
├── StorageTrouble         the disk, the server or another program stands in the way; nothing was stored
├── SealError              a sealed secret could not be opened
├── FetchError             a file could not be fetched
│   ├── HostRefused        its host is not trusted
│   ├── FileTooLarge       it is larger than the cap
│   ├── FileGone           the link has expired
│   └── FileDamaged        what came does not decode whole
└── ProviderError          what a provider's answer means for us
    ├── Refused            400: the order itself is wrong; `details` says where
    ├── KeyRejected        401, 403: the API key is not accepted
    ├── OutOfCredits       402
    ├── Missing            404, 410: no such object for this key
    ├── Busy               429: rate limit or training cap; nothing was charged
    ├── Unavailable        the provider did not take the call; nothing was charged
    └── OutcomeUnknown     the call may have been taken; look before doing anything else
"""


class DarkroomError(Exception):
    """Root of all errors raised on purpose."""


class UserError(DarkroomError):
    """Its text is one clear sentence for the person who acted."""


class NotAllowed(UserError):
    pass


class NotFound(UserError):
    pass


class NoKey(UserError):
    """`for_admin`: the sentence for somebody who may set a key."""

    def __init__(self, sentence: str, for_admin: str | None = None) -> None:
        super().__init__(sentence)
        self.for_admin = for_admin or sentence

    def adding(self, more: str) -> "NoKey":
        """The same with a further sentence."""
        return NoKey(f"{self} {more}", f"{self.for_admin} {more}")


class StartupError(DarkroomError):
    """Its text is one clear sentence for the operator; the process exits with 1."""


class StorageTrouble(DarkroomError):
    """Its text is one clear sentence for the person who acted; the log has the reason.

    It is no UserError: what was asked is neither wrong nor refused, and the engine tries it again.
    """


class SealError(DarkroomError):
    """A sealed secret was made with another master key, moved to another row, or damaged."""


class FetchError(DarkroomError):
    pass


class HostRefused(FetchError):
    pass


class FileTooLarge(FetchError):
    pass


class FileGone(FetchError):
    pass


class FileDamaged(FetchError):
    pass


class ProviderError(DarkroomError):
    """What a provider's answer means. The text never holds an API key, so it is safe to log.

    `sentence` is the provider's own text, empty without one. `trace` is the provider's id of the refused call, for its
    support; it is not part of the text. `retry_after` is in seconds, None when the answer did not say.
    """

    trace: str | None = None

    def __init__(self, sentence: str = "", *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(sentence or type(self).__name__)
        self.sentence = sentence
        self.status = status
        self.retry_after = retry_after


class Refused(ProviderError):
    """400-class answer; `details` maps a JSON path to the provider's messages."""

    def __init__(
        self, sentence: str = "", *, status: int | None = None, details: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__(sentence, status=status)
        self.details = details or {}


class KeyRejected(ProviderError):
    pass


class OutOfCredits(ProviderError):
    """402; both numbers are credits, None when the answer did not say."""

    def __init__(
        self,
        sentence: str = "",
        *,
        status: int | None = None,
        required: int | None = None,
        available: int | None = None,
    ) -> None:
        super().__init__(sentence, status=status)
        self.required = required
        self.available = available


class Missing(ProviderError):
    pass


class Busy(ProviderError):
    pass


class Unavailable(ProviderError):
    pass


class OutcomeUnknown(ProviderError):
    pass
