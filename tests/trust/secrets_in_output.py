"""T29: keys, tokens and signed links while everything goes wrong and is logged at DEBUG; where they come out again."""

import base64
import contextlib
import io
import json
import logging
import random
from collections.abc import Iterator

import pytest

from bot.errors import ProviderError, SealError, UserError
from bot.keys.service import explain
from bot.process.log import LogFormat, Redactor, configure_logging, redact_value
from bot.records.dataset import Upload
from bot.records.key import ProviderName
from bot.sandbox.rehearsal.faults import Fault
from bot.storage.sealing import Sealer
from tests.fakes.own_log import own_log
from tests.fakes.rows import ADMIN, ANNA, GUILD
from tests.fakes.studio import AUROUS_KEY, KEY, MASTER_KEY, NEXT_KEY, OTHER_AUROUS_KEY, OTHER_KEY, Studio
from tests.trust import deliveries, provider_faults
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

SIGNATURE = "8f2c4f0e1d7b46a2"
BOT_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.canary-canary-canary-canary-canary"
INTERACTION_TOKEN = base64.b64encode(b"interaction:1234567890:canary-canary-canary-canary").decode()
CANARIES = {
    "keys of Apiframe": (KEY, NEXT_KEY, OTHER_KEY),
    "keys of Aurous Labs": (AUROUS_KEY, OTHER_AUROUS_KEY),
    "the master key": (base64.b64encode(MASTER_KEY).decode(), MASTER_KEY.decode()),
    "the token of the bot": (BOT_TOKEN,),
    "tokens of interactions": (INTERACTION_TOKEN,),
    "signed links": (SIGNATURE,),
}
TROUBLES = (
    Fault.answer(401),
    Fault.answer(403),
    Fault.edge_page(),
    Fault.reset_before(),
    Fault.half_body(),
    Fault.garbage_json(),
    Fault.answer(500),
)
LINK = "/attachments/1/2/photo.png?ex=68a0&is=68b0&hm="
DELIVERIES = 40
KEY_REFUSED = ("not a key", "afk_unknown_key_01", "al_live_" + "f" * 64)


async def listen(rounds: int, seed: int) -> Score:
    score = Score()
    for number in range(rounds):
        with _logged_whole() as logged:
            redact_value(base64.b64encode(MASTER_KEY).decode())
            redact_value(MASTER_KEY.decode())
            await provider_faults.try_answers(1, seed + number)
            await deliveries.repeat_and_shuffle(DELIVERIES, seed + number)
            async with fresh_studio() as studio:
                said = await _live(studio, random.Random(seed + number))
                stored = b"".join(path.read_bytes() for path in studio.folder.glob("darkroom.db*"))
            _let_libraries_talk()
        score.tried += len(logged.getvalue().splitlines())
        score.fired["lines of the log"] += len(logged.getvalue().splitlines())
        score.fired["refusals"] += len(said)
        places = {"log": logged.getvalue(), "database": stored.decode("latin-1"), "answers": "\n".join(said)}
        for kind, canaries in CANARIES.items():
            score.fired[kind] += len(canaries)
            for place, text in places.items():
                score.bad[f"{kind} in the {place}"] += sum(canary in text for canary in canaries)
    return score


@contextlib.contextmanager
def _logged_whole() -> Iterator[io.StringIO]:
    """All loggers as the bot sets them up, at DEBUG, with all that Python writes to standard error."""
    stream = io.StringIO()
    with own_log(), contextlib.redirect_stderr(stream):
        logging.disable(logging.NOTSET)
        configure_logging("DEBUG", LogFormat.TEXT, stream=stream)
        yield stream


async def _live(studio: Studio, dice: random.Random) -> list[str]:
    """Keys that are set, refused and replaced, photos behind signed links; every sentence that somebody gets."""
    said: list[str] = []
    for api_key in (KEY, NEXT_KEY, *dice.sample(KEY_REFUSED, len(KEY_REFUSED))):
        studio.server.faults.next("GET /v2/me", dice.choice(TROUBLES))
        for provider, given in ((ProviderName.APIFRAME, api_key), (ProviderName.AUROUS, AUROUS_KEY)):
            try:
                await studio.keys.set(GUILD, provider, given, set_by=ADMIN)
            except (ProviderError, SealError) as error:
                said += [explain(error, provider), str(error)]
            except UserError as error:
                said.append(str(error))
    board = await studio.datasets.board(await studio.dataset(count=0), guild_id=GUILD, user_id=ANNA)
    hosts = (studio.server.base_url, "http://127.0.0.1:9", "https://evil.example")
    uploads = [Upload("photo.png", f"{host}{LINK}{SIGNATURE}", 1000) for host in hosts]
    photos = await studio.datasets.examine(board.dataset, uploads)
    said += [repr(photo) for photo in photos]
    for upload in uploads:
        with pytest.raises(UserError) as refused:
            await studio.orders._references.take_in([upload])
        said.append(str(refused.value))
    await studio.settle()
    return said


def _let_libraries_talk() -> None:
    """What libraries log or raise when they have such a thing in their hands."""
    library = logging.getLogger("aiohttp.client")
    for api_key in (*CANARIES["keys of Apiframe"], *CANARIES["keys of Aurous Labs"]):
        library.debug("sent %s", {"X-Api-Key": api_key, "Accept": "*/*"})
        library.debug("curl -H 'Authorization: Bearer %s'", api_key)
        try:
            raise ConnectionError(f"rejected {api_key}")
        except ConnectionError:
            library.exception("failed")
    for token in (INTERACTION_TOKEN, "another-token-of-22-letters"):
        library.debug("POST https://discord.com/api/v10/webhooks/123456789012345678/%s?wait=true", token)
        library.debug(json.dumps({"t": "INTERACTION_CREATE", "d": {"token": token}}))
    library.warning("logging in with Bot %s", BOT_TOKEN)
    library.info("GET https://cdn.discordapp.com%s%s&", LINK, SIGNATURE)
    library.info("master key %s", base64.b64encode(MASTER_KEY).decode())


def log_as_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Redactor, "clean", lambda _self, text: text)


def store_as_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Sealer, "seal", lambda self, secret, *, context: self._current + bytes(28) + secret.encode())
    patch.setattr(Sealer, "unseal", lambda _self, blob, *, context: blob[32:].decode(errors="replace"))


ROW = Row(
    "T29",
    "secrets while everything goes wrong, logged at DEBUG",
    "0 in log, tracebacks, database and answers",
    (1, 10),
    ("lines of the log", "refusals", *CANARIES),
    listen,
    (log_as_it_is, store_as_it_is),
)
