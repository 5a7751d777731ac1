"""The commands. `EXTENSIONS` is the complete list; nothing is discovered by scanning."""

EXTENSIONS = (
    "cogs.keys",
    "cogs.train",
    "cogs.dataset",
    "cogs.loras",
    "cogs.offers",
    "cogs.imagine",
    "cogs.styles",
    "cogs.pictures",
    "cogs.events",
    "cogs.event_buttons",
    "cogs.jobs",
    "cogs.settings",
    "cogs.privacy",
    "cogs.about",
)
