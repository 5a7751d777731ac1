"""T22: hostile photos, as a member sends them, and random mutations of good ones."""

import asyncio
import hashlib
import random
from typing import IO

import pytest
from PIL import Image

from bot.datasets.rules import DatasetOrder
from bot.photos import checks, exif, jpeg, prepare
from bot.photos.checks import REFUSALS, explain
from bot.photos.intake import Received, Spool
from bot.photos.pool import PhotoPool
from bot.records.dataset import Photo, SubjectKind, Upload, Verdict
from tests.fakes.attachments import Attachments, open_attachments
from tests.fakes.rows import ANNA, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.photos.hostile import (
    DECODED_ELSEWHERE,
    HARMLESS,
    MANGLINGS,
    NAMES,
    SIDES,
    TINY,
    headed,
    mutate,
    samples,
)
from tests.photos.leaving import leaks
from tests.trust.photos.temporary import temporary_files_counted
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

THING = DatasetOrder("Rex", SubjectKind.OBJECT)
FORM = 30
AT_ONCE = 64
ELSEWHERE_EVERY = 400
"""A process is started for each mutated HEIC or AVIF."""
WHOLE_EVERY = 16
"""One in so many is as large as a photo has to be; the others are tiny, so that most of the time goes into parsing."""
LEFT = "files left"
UNTYPED = "an exception that no sentence stands for"


async def try_all(mutations: int, seed: int) -> Score:
    """Every mangling of one sample each, of every sample when there are many mutations; then the mutations."""
    score, dice = Score(), random.Random(seed)
    with temporary_files_counted(score):
        async with fresh_studio() as studio, open_attachments() as attachments:
            await send_corpus(score, studio, attachments, dice, is_whole=mutations > 10_000)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(checks, "MIN_SIDE_PX", min(TINY))
                await send_mutations(score, studio.spool, dice, mutations)
    return score


def corpus(dice: random.Random, *, is_whole: bool) -> list[tuple[str, str, bytes]]:
    """Sample, mangling and content of each file."""
    every = list(samples())
    return [
        (sample, mangling, mangle(samples()[sample], dice))
        for mangling, mangle in MANGLINGS.items()
        for sample in (every if is_whole else dice.sample(every, 2))
    ]


async def send_corpus(
    score: Score, studio: Studio, attachments: Attachments, dice: random.Random, *, is_whole: bool
) -> None:
    files = corpus(dice, is_whole=is_whole)
    for at in range(0, len(files), FORM):
        form = files[at : at + FORM]
        dataset = await studio.datasets.create(THING, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)
        uploads = []
        for number, (_, _, content) in enumerate(form, start=at):
            stored = attachments.add("file", content)
            uploads.append(Upload(NAMES[number % len(NAMES)], stored.url, stored.size))
        before = set(studio.files())
        try:
            board = await studio.datasets.take_in(dataset, uploads)
        except Exception as error:  # noqa: BLE001 - that is what is counted
            score.bad[f"{UNTYPED}: {type(error).__name__}"] += 1
            continue
        for (sample, mangling, _), photo in zip(form, board.photos, strict=True):
            score.tried += 1
            score.fired[mangling] += 1
            await asyncio.to_thread(check, score, studio.spool, photo)
            is_refused = photo.verdict is Verdict.REFUSED and photo.findings[0].code != "exact_duplicate"
            if is_refused and mangling in HARMLESS:
                score.bad[f"a good photo refused: {sample}, {mangling}"] += 1
        kept = {photo.file for photo in board.photos if photo.file is not None}
        score.bad[LEFT] += len(set(studio.files()) - before - kept)
        await studio.datasets.discard(dataset.id, guild_id=GUILD, user_id=ANNA)
    score.bad[LEFT] += len(studio.files())


def mutated(score: Score, dice: random.Random, number: int) -> bytes:
    if dice.random() < 0.05:
        score.fired["random bytes"] += 1
        return headed(dice)
    name = dice.choice([name for name in samples() if (name in DECODED_ELSEWHERE) == (number % ELSEWHERE_EVERY == 0)])
    is_whole = number % WHOLE_EVERY == 0
    score.fired[f"mutated {name}"] += 1
    score.fired["mutated whole" if is_whole else "mutated tiny"] += 1
    return mutate(samples(SIDES if is_whole else TINY)[name], dice)


async def send_mutations(score: Score, spool: Spool, dice: random.Random, mutations: int) -> None:
    pool = PhotoPool(spool, workers=2)

    async def send(content: bytes) -> None:
        name = spool.new_name()
        spool.path(name).write_bytes(content)
        received = Received(name, hashlib.sha256(content).hexdigest(), len(content), "image/jpeg")
        try:
            photo = await pool.examine(received, "photo.jpg")
        except Exception as error:  # noqa: BLE001 - that is what is counted
            score.bad[f"{UNTYPED}: {type(error).__name__}"] += 1
            return
        await asyncio.to_thread(check, score, spool, photo)
        if photo.file is not None:
            spool.free([photo.file])

    try:
        for begun in range(0, mutations, AT_ONCE):
            numbers = range(begun, min(begun + AT_ONCE, mutations))
            contents = [mutated(score, dice, number) for number in numbers]
            await asyncio.gather(*map(send, contents))
            score.tried += len(contents)
    finally:
        pool.close()
    score.bad[LEFT] += sum(1 for _ in spool.path(spool.new_name()).parent.iterdir())


def check(score: Score, spool: Spool, photo: Photo) -> None:
    """A refusal has its sentence, and everything else is a photo without anything beside its pixels."""
    score.bad["a finding without a sentence"] += any(len(explain(finding)) < 20 for finding in photo.findings)
    if photo.verdict is Verdict.REFUSED:
        score.fired["refused"] += 1
        is_duplicate = photo.findings[0].code == "exact_duplicate"
        score.bad["refused, and a file is kept"] += photo.file is not None and not is_duplicate
        score.bad["refused for no documented reason"] += photo.findings[0].code not in REFUSALS
        return
    score.fired["taken"] += 1
    assert photo.file is not None
    try:
        found = leaks(spool.path(photo.file).read_bytes())
    except (OSError, ValueError, SyntaxError, IndexError):
        found = ["what leaves does not decode"]
    for each in found:
        score.bad[f"what leaves: {each}"] += 1


def believe_every_file(patch: pytest.MonkeyPatch) -> None:
    """Only what Pillow documents is expected of its decoders."""
    patch.setattr(prepare, "_BROKEN", (OSError,))


def pass_the_camera_on(patch: pytest.MonkeyPatch) -> None:
    """The EXIF of the photo is written into its copy."""
    blocks = [b""]

    def read_exif(block: bytes) -> exif.Exif:
        blocks[0] = block or blocks[0]
        return exif.read_exif(block)

    def write_jpeg(picture: Image.Image, file: IO[bytes], limit: int) -> int:
        picture.info["comment"] = blocks[0]
        return jpeg.write_jpeg(picture, file, limit)

    patch.setattr(prepare, "read_exif", read_exif)
    patch.setattr(prepare, "write_jpeg", write_jpeg)


def keep_what_came(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Spool, "free", lambda *_: None)


ROW = Row(
    "T22",
    "hostile photos, and mutations of good ones",
    "0 crashes, 0 files left, nothing but pixels leaves",
    (250, 100_000),
    (
        *MANGLINGS,
        "refused",
        "taken",
        "random bytes",
        "mutated JPEG",
        "mutated PNG",
        "mutated WebP",
        "mutated tiny",
        "mutated whole",
    ),
    try_all,
    (believe_every_file, pass_the_camera_on, keep_what_came),
    starts_process=True,
)
