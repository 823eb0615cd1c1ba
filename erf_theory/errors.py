"""The exceptions that users can catch."""

__all__ = ["EngineError", "ErfTheoryError", "MapTooLargeError"]


class ErfTheoryError(ValueError):
    """A question that has no answer as it was asked.

    The message names the value, the condition that it breaks and what to do.
    """


class EngineError(ErfTheoryError):
    """An engine was asked for something that it cannot give; another one may."""


class MapTooLargeError(ErfTheoryError):
    """A map that would not fit into the memory of this machine."""
