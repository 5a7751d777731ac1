"""The commands. `EXTENSIONS` is the complete list; nothing is discovered by scanning."""

EXTENSIONS = (
    "cogs.permissions",
    "cogs.moderation.admission",
    "cogs.keys",
    "cogs.limits.commands",
    "cogs.limits.buttons",
    "cogs.training.commands",
    "cogs.training.buttons",
    "cogs.loras.commands",
    "cogs.loras.buttons",
    "cogs.generation.commands",
    "cogs.generation.buttons",
    "cogs.pictures.buttons",
    "cogs.events.commands",
    "cogs.events.buttons",
    "cogs.events.host.buttons",
    "cogs.jobs",
    "cogs.settings",
    "cogs.moderation.commands",
    "cogs.privacy",
    "cogs.about",
)
