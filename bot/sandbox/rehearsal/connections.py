"""One request for each connection, for every server of the sandbox."""

from aiohttp import web


async def close_connection(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """simcord waits for every timer the bot has set, and aiohttp sets one for each idle pooled connection."""
    # aiohttp runs this after it has decided on the Connection header.
    response.headers["Connection"] = "close"
    response.force_close()
