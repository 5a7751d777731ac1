"""Sealing: API keys are encrypted before they reach the database, and bound to the row they belong to."""

import base64
import binascii
import errno
import hashlib
import logging
import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import SealError, StartupError
from bot.process.folders import unusable

log = logging.getLogger(__name__)

KEY_BYTES = 32
KEY_FILE = "master.key"

NOT_SYNCED = frozenset({errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EISDIR})
"""A file system that cannot sync folders says so (man 2 fsync); the file itself is synced."""

_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16
_CHECK_TEXT = "darkroom"
_CHECK_CONTEXT = "master key check"


class Sealer:
    """AES-256-GCM under a list of master keys: the first encrypts, all decrypt.

    A blob is `key id (4 bytes of the key's SHA-256) | nonce (12) | ciphertext and tag`. `context` is associated
    data, for example `"5:apiframe"` for guild and provider: a blob copied to another row does not open there.
    """

    def __init__(self, master_keys: Sequence[bytes]) -> None:
        if not master_keys or any(len(key) != KEY_BYTES for key in master_keys):
            raise ValueError("at least one master key of 32 bytes")
        self._ciphers = {_key_id(key): AESGCM(key) for key in reversed(master_keys)}
        self._current = _key_id(master_keys[0])

    def __repr__(self) -> str:
        return f"Sealer(keys={len(self._ciphers)})"

    def seal(self, secret: str, *, context: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return self._current + nonce + self._ciphers[self._current].encrypt(nonce, secret.encode(), context.encode())

    def unseal(self, blob: bytes, *, context: str) -> str:
        """The secret; SealError when the master key is another one, the context differs or a bit has changed."""
        cipher = self._ciphers.get(blob[:_KEY_ID_BYTES])
        if cipher is None or len(blob) < _KEY_ID_BYTES + _NONCE_BYTES + _TAG_BYTES:
            raise SealError("This was sealed with a master key that is not among the configured ones.")
        nonce, ciphertext = blob[_KEY_ID_BYTES:][:_NONCE_BYTES], blob[_KEY_ID_BYTES + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, ciphertext, context.encode()).decode()
        except InvalidTag:
            raise SealError("This was sealed for another row, or has been changed since.") from None

    def is_current(self, blob: bytes) -> bool:
        """Whether the first master key made this blob; if not, rotation has to seal it anew."""
        return blob[:_KEY_ID_BYTES] == self._current

    def check_value(self) -> bytes:
        """Bytes for the database to keep, so that a later start can tell a wrong master key with `matches`."""
        return self.seal(_CHECK_TEXT, context=_CHECK_CONTEXT)

    def matches(self, check: bytes) -> bool:
        try:
            return self.unseal(check, context=_CHECK_CONTEXT) == _CHECK_TEXT
        except SealError:
            return False


def parse_master_keys(text: str) -> list[bytes]:
    """Comma-separated base64 (plain or URL-safe) of 32 bytes each; ValueError says what is wrong, without the value."""
    keys = [_decode_key(part.strip()) for part in text.split(",") if part.strip()]
    if not keys:
        raise ValueError("holds no key; it must be base64 of 32 random bytes.")
    return keys


def load_master_keys(given: str | None, key_file: Path | None, data_dir: Path) -> list[bytes]:
    """As `find_master_keys`; a key in the data folder is made when there is none."""
    found = find_master_keys(given, key_file, data_dir)
    if found is not None:
        return found
    path = data_dir / KEY_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        _generate(path)
    except OSError as error:
        raise StartupError(f"The master key cannot be made. {unusable(data_dir, error)}") from None
    return _parse(_read(path), f"The master key file {path}")


def find_master_keys(given: str | None, key_file: Path | None, data_dir: Path) -> list[bytes] | None:
    """The given keys, else those of `key_file`, else of `<data_dir>/master.key`; None when that is not there.

    StartupError, with a sentence, when they cannot be read.
    """
    if given is not None:
        return _parse(given, "DARKROOM_MASTER_KEY")
    if key_file is not None:
        return _parse(_read(key_file), f"The master key file {key_file}")
    path = data_dir / KEY_FILE
    try:
        is_there = path.exists()
    except OSError as error:
        raise StartupError(f"The master key file {path} could not be read: {error.strerror}.") from None
    return _parse(_read(path), f"The master key file {path}") if is_there else None


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_KEY_ID_BYTES]


def _decode_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not valid base64; it must be base64 of 32 random bytes.") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"has {len(key)} bytes where 32 are needed; it must be base64 of 32 random bytes.")
    return key


def _parse(text: str, source: str) -> list[bytes]:
    try:
        return parse_master_keys(text)
    except ValueError as error:
        sentence = f"{source} {error}"
    raise StartupError(sentence)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii")
        mode = path.stat().st_mode
    except UnicodeDecodeError:
        raise StartupError(f"The master key file {path} is not text; it must hold base64 of 32 random bytes.") from None
    except OSError as error:
        raise StartupError(f"The master key file {path} could not be read: {error.strerror}.") from None
    if sys.platform != "win32" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("The master key file %s can be opened by other users; please run: chmod 600 %s", path, path)
    return text


def _generate(path: Path) -> None:
    """Whole or not at all: written and synced under another name (mode 0600), then linked to its own."""
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _give_name(Path(draft), path)
    except FileExistsError:
        return  # another process was first; its key counts
    finally:
        Path(draft).unlink(missing_ok=True)
    _sync_folder(path.parent)
    log.info("A new master key was made in %s; keep a copy of it somewhere safe.", path)


def _give_name(draft: Path, path: Path) -> None:
    """FileExistsError when the name is taken."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # No hard links there: FAT, and many network disks.
        if path.exists():
            raise FileExistsError from None
        draft.rename(path)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # folders cannot be opened there (Microsoft, CreateFileW: FILE_FLAG_BACKUP_SEMANTICS)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in NOT_SYNCED:
            raise
    finally:
        os.close(handle)
