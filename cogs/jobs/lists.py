"""What a page of /jobs shows, gathered and sent."""

from collections.abc import Mapping
from pathlib import Path

from bot.jobs.history import JobEntry
from bot.pictures.service import PictureSet
from bot.records.job import SubjectTable
from bot.training.service import TrainingView
from cogs.jobs.cards import PAGE, SERVER_PAGE, Job, View, jobs_card, server_card
from cogs.ui.replies import Interaction, actor_of, is_admin, show
from cogs.ui.thumbnails import small_copies


async def show_mine(interaction: Interaction, number: int) -> None:
    services, actor = interaction.client.services, actor_of(interaction)
    page = await services.history.of_member(actor, number, PAGE)
    jobs = await _jobs(interaction, page.entries)
    kept = await services.outbox.kept_for(guild_id=actor.guild_id, user_id=actor.user_id)
    paths = await _pictures(interaction, jobs)
    files = await small_copies(services.pool, {_name(place): path for place, path in paths.items()})
    here = {name for name, _ in files}
    names = {place: _name(place) for place in paths if _name(place) in here}
    await show(interaction, jobs_card(page, jobs, names, kept, ids=is_admin(interaction)), files)


async def show_everybodys(interaction: Interaction, number: int) -> None:
    """NotAllowed for who is no admin."""
    page = await interaction.client.services.history.of_server(actor_of(interaction), number, SERVER_PAGE)
    await show(interaction, server_card(page, await _jobs(interaction, page.entries)))


async def _jobs(interaction: Interaction, entries: tuple[JobEntry, ...]) -> list[Job]:
    """Without those whose details were erased meanwhile."""
    found = [(entry, await _view(interaction, entry)) for entry in entries]
    return [Job(entry, view) for entry, view in found if view is not None]


async def _view(interaction: Interaction, entry: JobEntry) -> View | None:
    services = interaction.client.services
    if entry.ref.subject is SubjectTable.TRAINING:
        return await services.trainings.view(entry.ref.id)
    return await services.pictures.find(entry.ref.id)


async def _pictures(interaction: Interaction, jobs: list[Job]) -> Mapping[int, Path]:
    """One picture of each job that has one, by the job's place."""
    found = {place: await _picture(interaction, job.view) for place, job in enumerate(jobs)}
    return {place: path for place, path in found.items() if path is not None}


async def _picture(interaction: Interaction, view: View) -> Path | None:
    if isinstance(view, PictureSet):
        if view.generation.deleted_at is not None or view.is_withheld:
            return None
        return next(filter(None, view.view.files), None)
    return await _best_of(interaction, view)


async def _best_of(interaction: Interaction, view: TrainingView) -> Path | None:
    """The best picture that was made with the LoRA that was trained."""
    if view.lora is None:
        return None
    previews = await interaction.client.services.loras.previews([view.lora], actor_of(interaction))
    return previews.get(view.lora.id)


def _name(place: int) -> str:
    return f"job-{place + 1}.jpg"
