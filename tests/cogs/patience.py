"""A simulated Discord that waits for first answers: how quickly the bot gives them is measured by the bench."""

from simcord.backend.models.interaction import Interaction
from simcord.backend.state import Backend


def wait_for_answers(backend: Backend) -> None:
    """simcord takes no first answer after three seconds of its clock, which in the sandbox is the machine's."""
    open_interaction = backend.new_interaction

    def new_interaction(type: int, channel_id: int, user_id: int, guild_id: int | None) -> Interaction:  # noqa: A002
        made = open_interaction(type, channel_id, user_id, guild_id)
        made.initial_response_deadline = None
        return made

    backend.new_interaction = new_interaction  # type: ignore[method-assign]
