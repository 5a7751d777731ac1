"""Spans for whoever collects them: names and ids of our own, nothing that people wrote."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

Begin = Callable[[str, Mapping[str, str]], AbstractContextManager[object]]

_begin: Begin | None = None


def collect(begin: Begin | None) -> None:
    """Begin every span with this from now on; None ends that."""
    global _begin  # noqa: PLW0603 - one for the process, as the log is
    _begin = begin


@contextmanager
def span(name: str, **about: str) -> Iterator[None]:
    if _begin is None:
        yield
        return
    with _begin(name, about):
        yield
