"""Files that seem to have been written long ago."""

import os
import time
from datetime import timedelta
from pathlib import Path


def make_older(file: Path, by: timedelta) -> None:
    """As if it had last been written to so long ago."""
    written_at = time.time() - by.total_seconds()
    os.utime(file, (written_at, written_at))
