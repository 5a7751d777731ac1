"""The README's pictures, taken from the sandbox by `make screenshots`."""
