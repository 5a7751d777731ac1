"""What `configure_logging` changes in its process, given back afterwards."""

import contextlib
import logging
import sys
from collections.abc import Iterator

import pytest
from stamina.instrumentation import set_on_retry_hooks

from bot.process import log


@contextlib.contextmanager
def own_log() -> Iterator[None]:
    """The root logger begins without handlers and no value is hidden; in the end all is as it was found."""
    manager = logging.root.manager
    levels, disabled = {name: logging.getLogger(name).level for name in (None, *manager.loggerDict)}, manager.disable
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.root, "handlers", [])
        patch.setattr(sys, "excepthook", sys.excepthook)
        patch.setattr(log, "_redactor", log.Redactor())
        try:
            yield
        finally:
            set_on_retry_hooks(None)
            logging.captureWarnings(False)
            logging.disable(disabled)
            for name in (None, *manager.loggerDict):
                logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
