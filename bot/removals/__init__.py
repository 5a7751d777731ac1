"""Removing at the providers what is not wanted any more, and the receipts for it."""
