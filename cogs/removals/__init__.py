"""Receipts for what was to be removed at the providers."""
