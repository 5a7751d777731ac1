"""Darkroom's own code below the commands."""

__version__ = "0.1.0"
