"""Everything of Darkroom except its Discord commands (cogs/)."""

__version__ = "0.2.0"
