"""The key of a Discord application, and requests signed with it."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class ApplicationKey:
    """`public`: 64 hexadecimal digits, as the developer portal shows them."""

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes_raw().hex()

    def sign(self, body: bytes, at_s: float) -> Mapping[str, str]:
        """The headers of a request that Discord sends at this time of day, in seconds since 1970."""
        timestamp = str(int(at_s))
        signature = self._private.sign(timestamp.encode() + body).hex()
        return {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
