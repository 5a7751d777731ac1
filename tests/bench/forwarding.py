"""Sending a training's photos to the provider: how fast, and how much memory it takes."""

import tempfile
from pathlib import Path

from tests.bench.processes import started
from tests.bench.rows import Floor, Row, Sample, Target, compare
from tests.bench.scale import Scale
from tests.bench.sender import PHOTO_BYTES, PHOTOS, TOTAL_MB

SENDING_S = 60.0


async def measure(scale: Scale) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as name:
        log = Path(name) / "forwarding.log"
        async with started("sink", {}, log) as sink:
            ports = await sink.says()
            task = ports | {"folder": name, "rounds": scale.rounds}
            async with started("sender", task, log) as sender:
                said = await sender.says(SENDING_S)
    floor = Floor("a bare TCP socket over loopback", speeds(said["before"]), speeds(said["after"]))
    extra = [Sample(max(taken["extra_mb"] for taken in said["product"]))]
    what = f"{PHOTOS} x {PHOTO_BYTES / 1e6:.0f} MB to the provider"
    return [
        compare(what, "MB/s", speeds(said["product"]), floor, target=Target(ratio_least=0.12)),
        compare(
            f"{what}: peak extra RSS",
            "MB",
            extra,
            target=Target(value_most=8.0),
            note=f"worst of {scale.rounds} rounds; holding the photos would take {TOTAL_MB:.0f} MB",
        ),
    ]


def speeds(taken: list[dict[str, float]]) -> list[Sample]:
    return [Sample(TOTAL_MB / one["seconds"], one["cpu_s"] * 1000) for one in taken]
