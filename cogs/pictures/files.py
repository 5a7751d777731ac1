"""Picture files for a message: names, sizes, batches."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.photos.filetypes import identify
from bot.pictures.service import PictureSet
from bot.records.generation import Picture
from cogs.ui.replies import File

REQUEST_MAX_BYTES = 25 * 1024 * 1024 * 9 // 10
"""A whole message request may have 25 MiB (Discord /docs/resources/message); the rest is for the card."""
HEAD_BYTES = 64
SUFFIXES = {"jpeg": "jpg", "png": "png", "webp": "webp"}


async def batches_of(found: PictureSet, limit: int) -> tuple[list[list[File]], list[Picture]]:
    """The originals in messages of what a request may hold, and the pictures that are too large or gone."""
    batches: list[list[File]] = []
    left: list[Picture] = []
    room = 0
    for picture, path in zip(found.view.pictures, found.view.files, strict=True):
        if path is None or not fits([path], limit):
            left.append(picture)
            continue
        data = await asyncio.to_thread(path.read_bytes)
        if len(data) > room:
            batches.append([])
            room = REQUEST_MAX_BYTES
        batches[-1].append(named(found, picture.position, data))
        room -= len(data)
    return batches, left


def fits(files: Sequence[Path], limit: int) -> bool:
    sizes = [file.stat().st_size for file in files]
    return all(size <= limit for size in sizes) and sum(sizes) <= REQUEST_MAX_BYTES


def named(found: PictureSet, number: int, data: bytes) -> File:
    """An ASCII name of our own, so that attachment:// finds it, with the ending of what it is."""
    return file_name(found, number, SUFFIXES.get(identify(data[:HEAD_BYTES]) or "", "png")), data


async def originals(found: PictureSet, numbers: Sequence[int], paths: Sequence[Path]) -> list[File]:
    contents = [await asyncio.to_thread(path.read_bytes) for path in paths]
    return [named(found, number, data) for number, data in zip(numbers, contents, strict=True)]


def file_name(found: PictureSet, number: int, suffix: str) -> str:
    return f"darkroom-{found.generation.id}-{number}.{suffix}"
