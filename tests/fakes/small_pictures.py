"""Rehearsal providers that paint small pictures: painting a megapixel takes longer than most tests."""

from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.aurous.server import RehearsalAurous

SIDE_PX = 256
"""As small as a reference picture may be."""


def paint_small(*servers: RehearsalApiframe | RehearsalAurous) -> None:
    for server in servers:
        server.faults.answers.picture_side_cap_px = SIDE_PX
