"""Darkroom's own code below the commands."""

__version__ = "0.2.0"
