"""The command `annotate`: parse, call one use case, print."""

from annotate.cli.app import main

__all__ = ["main"]
