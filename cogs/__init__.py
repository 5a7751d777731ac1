"""The commands. `EXTENSIONS` is the complete list; nothing is discovered by scanning."""

EXTENSIONS = (
    "cogs.keys",
    "cogs.training.train",
    "cogs.training.dataset",
    "cogs.loras.commands",
    "cogs.loras.offers",
    "cogs.generation.imagine",
    "cogs.generation.styles",
    "cogs.pictures.buttons",
    "cogs.events.commands",
    "cogs.events.buttons",
    "cogs.jobs",
    "cogs.settings",
    "cogs.privacy",
    "cogs.about",
)
