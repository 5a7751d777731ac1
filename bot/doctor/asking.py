"""How a check is kept within its time and its trouble within its own line, and why nothing answers, in a sentence."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence

from bot.doctor.findings import Finding, fail
from bot.errors import StartupError
from bot.providers.transport import Lost, NotSent

log = logging.getLogger(__name__)

UNREACHED = {
    "DNS": ("Its name is not known here.", "Check this machine's network and resolver."),
    "ClientHttpProxyError": (
        "The proxy opens no connection to it.",
        "Check user and password in DARKROOM_PROXY, and what the proxy lets through.",
    ),
    "ClientProxyConnectionError": ("The proxy does not answer.", "Check DARKROOM_PROXY."),
    "Certificate": (
        "It shows a certificate that this machine does not trust.",
        "Check the clock, and whether a proxy stands in between.",
    ),
    "SSL": ("No TLS connection could be made to it.", "Check whether a proxy or firewall stands in between."),
    "Timeout": ("It does not answer in time.", "Check the firewall; behind a proxy, set DARKROOM_PROXY."),
    "InvalidURL": ("Its address cannot be used.", "Check its setting."),
}
"""By what the transport calls the trouble."""


async def within(seconds: float, name: str, check: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    """What the check finds, or one line about why it could not: no check stops another one, and none lasts longer."""
    try:
        async with asyncio.timeout(seconds):
            return await check
    except TimeoutError:
        return [fail(name, f"Looking took more than {seconds:.0f} seconds.", "Run `doctor` again.")]
    except StartupError as error:
        return [fail(name, str(error), "")]
    except Exception as error:  # the outermost boundary of a check: the others have their say
        log.debug("The check %s failed", name, exc_info=error)
        return [
            fail(
                name, f"This check broke ({type(error).__name__}).", "Please report it, with DARKROOM_LOG_LEVEL=DEBUG."
            )
        ]


def why_not(error: NotSent | Lost) -> tuple[str, str]:
    """Why there is no answer, and what to do."""
    said = str(error)
    if isinstance(error, Lost):
        if "Timeout" in said:
            return UNREACHED["Timeout"]
        return "It takes the connection and gives no whole answer.", "Check proxy and firewall, and try again later."
    known = next((told for word, told in UNREACHED.items() if word in said), None)
    return known or ("Nothing takes the connection there.", "Check this machine's network, its firewall and the proxy.")
