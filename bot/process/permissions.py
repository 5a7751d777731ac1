"""Who may open what Darkroom keeps: its own user, nobody else."""

import logging
import stat
import sys
from pathlib import Path

log = logging.getLogger(__name__)

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def restrict(path: Path, mode: int) -> None:
    """Give `path` this mode if it is there. Where that is not possible, the log says so, and Darkroom goes on.

    Network volumes refuse it with EPERM although reading and writing work. Folders that everybody shares (/tmp) stay.
    """
    if sys.platform == "win32":
        return  # only the write bit exists there (Python /library/os, os.chmod)
    try:
        present = path.stat().st_mode
        if stat.S_IMODE(present) != mode and not present & stat.S_ISVTX:
            path.chmod(mode)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("Other users may be able to open %s: its mode cannot be set (%s)", path, error.strerror)
