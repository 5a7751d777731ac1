"""The commands. `EXTENSIONS` is the complete list; nothing is discovered by scanning."""

EXTENSIONS = (
    "cogs.keys",
    "cogs.train",
    "cogs.dataset",
    "cogs.loras",
    "cogs.imagine",
    "cogs.jobs",
    "cogs.privacy",
    "cogs.about",
)
