"""A process that sends 30 photos of 10 MB to the provider as the bot does, and the same bytes over a bare socket."""

import asyncio
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from bot.providers.apiframe.client import Apiframe
from bot.providers.base import PhotoFile, TrainingOrder
from bot.providers.transport import Transport
from bot.records.dataset import SubjectKind
from tests.bench.processes import forget_peak, read_status_mb, report

PHOTOS = 30
PHOTO_BYTES = 10_000_000
TOTAL_MB = PHOTOS * PHOTO_BYTES / 1e6
PIECE_BYTES = 256 * 1024


def write_photos(folder: Path) -> list[PhotoFile]:
    photos = []
    for number in range(PHOTOS):
        path = folder / f"photo-{number:02}.jpg"
        path.write_bytes(os.urandom(PHOTO_BYTES))
        photos.append(PhotoFile(path, path.name, "image/jpeg", PHOTO_BYTES))
    return photos


def send_raw(port: int) -> dict[str, float]:
    piece = bytes(PIECE_BYTES)
    wall, cpu = time.perf_counter(), time.process_time()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        left = PHOTOS * PHOTO_BYTES
        while left > 0:
            connection.sendall(piece[:left])
            left -= len(piece)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    return {"seconds": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


async def send_training(transport: Transport, port: int, photos: list[PhotoFile]) -> dict[str, float]:
    order = TrainingOrder("Rex ·bench1", SubjectKind.OBJECT, None, None, None, 1000, 32, photos, None)
    provider = Apiframe(transport, f"http://127.0.0.1:{port}", "afk_bench_0123456789abcdef")
    forget_peak()
    resting_mb = read_status_mb("VmRSS")
    wall, cpu = time.perf_counter(), time.process_time()
    sent = await provider.submit_training(order)
    taken = {"seconds": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    assert sent.request_id == "bench-lora"
    return taken | {"extra_mb": max(0.0, read_status_mb("VmHWM") - resting_mb)}


async def main() -> None:
    task: dict[str, Any] = json.loads(sys.argv[1])
    photos = await asyncio.to_thread(write_photos, Path(task["folder"]))
    rounds = range(task["rounds"])
    before = [await asyncio.to_thread(send_raw, task["raw_port"]) for _ in rounds]
    async with Transport() as transport:
        product = [await send_training(transport, task["http_port"], photos) for _ in rounds]
    after = [await asyncio.to_thread(send_raw, task["raw_port"]) for _ in rounds]
    report(before=before, product=product, after=after)


if __name__ == "__main__":
    asyncio.run(main())
