"""Where the master key of this installation is: a variable, a file of the operator, or a file in the data folder."""

import os
from dataclasses import dataclass
from pathlib import Path

from bot.errors import StartupError
from bot.storage.sealing import KEY_FILE, Sealer, parse_master_keys


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    """`given` is DARKROOM_MASTER_KEY, `file` DARKROOM_MASTER_KEY_FILE; with neither it lies in `data_dir`."""

    data_dir: Path
    given: str | None = None
    file: Path | None = None

    @property
    def where(self) -> str:
        return "DARKROOM_MASTER_KEY" if self.given is not None else str(self._path)

    @property
    def is_kept_here(self) -> bool:
        """Whether its file belongs to Darkroom, and not to the operator."""
        return self.given is None and self.file is None

    def text(self) -> str | None:
        """What stands there; None when nothing does. StartupError when it cannot be read."""
        if self.given is not None:
            return self.given
        try:
            return self._path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            raise StartupError(f"The master key file {self._path} could not be read.") from None

    def sealer(self) -> Sealer | None:
        text = self.text()
        try:
            return None if text is None else Sealer(parse_master_keys(text))
        except ValueError:
            return None

    def put_first(self, text: str) -> None:
        """Let these keys encrypt from now on; those that were there still decrypt, so either database opens."""
        there = self.text() or ""
        keys = ",".join(dict.fromkeys(key.strip() for key in f"{text},{there}".split(",") if key.strip()))
        if keys == there:
            return
        new = self._path.with_name(f".{KEY_FILE}.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(keys + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)

    @property
    def _path(self) -> Path:
        return self.file or self.data_dir / KEY_FILE
