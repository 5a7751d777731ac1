"""What posts for the admins and the moderators of a server look like."""

from dataclasses import replace

from bot.moderation.texts import is_explicit
from bot.ports import PlaceRefused
from bot.records.post import Post, PostKind
from bot.services import Services
from cogs.events.posts import Draft
from cogs.keys import key_paused_card
from cogs.moderation.cards import log_card
from cogs.pictures.approvals import approval_card, approval_file
from cogs.pictures.reports import report_card
from cogs.removals.left import left_card
from cogs.ui.layout import SafeLayout
from cogs.welcome import welcome_card

SMALL_BYTES = 900_000
NOT_HERE = (
    "This picture is for age-restricted channels, so I do not show it here. "
    "An admin can choose an age-restricted channel for these questions with `/settings`."
)


async def render_for_admin(services: Services, post: Post, guild_name: str) -> SafeLayout:
    """PlaceRefused when the key or the server is gone."""
    if post.kind is PostKind.KEY_PAUSED:
        key = await services.keys.get(post.subject_id)
        if key is not None:
            return key_paused_card(key, guild_name)
    elif post.kind is PostKind.WELCOME:
        guild = await services.guilds.find(post.subject_id)
        if guild is not None:
            return welcome_card(guild.id, guild_name)
    else:
        left = await services.guilds.left(post.subject_id)
        if left is not None:
            return left_card(left)
    raise PlaceRefused("the key or the server is gone")


async def render_for_moderators(services: Services, post: Post, *, is_private: bool) -> SafeLayout:
    """PlaceRefused when what it shows is gone."""
    if post.kind is PostKind.PICTURE_REPORT:
        report = await services.reports.view(post.subject_id)
        if report is not None:
            return report_card(report, is_private=is_private)
    elif post.kind is PostKind.APPROVAL:
        asked = await services.approvals.view(post.subject_id)
        if asked is not None:
            return approval_card(asked)
    else:
        entry = await services.moderation.entry(post.subject_id)
        if entry is not None:
            return log_card(entry)
    raise PlaceRefused("what it shows is gone")


async def draft_of_approval(services: Services, post: Post, *, takes_explicit: bool) -> Draft:
    """With a copy of a picture that a moderator can see nowhere else, if it may be where the question goes."""
    asked = await services.approvals.view(post.subject_id)
    if asked is None:
        raise PlaceRefused("the picture is gone")
    if approval_file(asked) is not None and not takes_explicit and is_explicit(asked.generation.prompt):
        return approval_card(replace(asked, picture=replace(asked.picture, file=None)), NOT_HERE), []
    name, shown = approval_file(asked), await services.pictures.find_by_picture(asked.picture.id)
    path = None if name is None or shown is None else shown[0].view.file_of(shown[1].position)
    files = [] if name is None or path is None else [(name, await services.pool.smaller_copy(path, SMALL_BYTES))]
    return approval_card(asked), files
