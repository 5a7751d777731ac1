"""/about: how to begin."""

from bot import __version__
from tests.cogs.simulated_guild import Stage, answer_to


async def test_it_names_the_version_and_the_three_steps(stage: Stage) -> None:
    text = answer_to(await stage.use(stage.ben, "about"))
    assert f"Darkroom {__version__}" in text
    for command in ("`/keys set`", "`/train`", "`/imagine`", "`/jobs`", "`/privacy show`"):
        assert command in text
