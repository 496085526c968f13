"""Errors that a user can correct; anything else is a bug and keeps its traceback."""


class StanceError(Exception):
    """Base of them all; its message is one line: what was found, where, and what to do."""

    exit_status = 1


class DataError(StanceError):
    """A table, corpus or text cannot be used as it is."""


class ExtraError(DataError):
    """A file needs a library that is not installed."""


class ActorError(StanceError):
    """An actor book is wrong, or an actor is not in it."""


class RecipeError(StanceError):
    """A recipe has an unknown key, a wrong type or a value out of range."""


class UsageError(StanceError):
    """Arguments contradict each other."""

    exit_status = 2


class ModelError(StanceError):
    """A model file is refused."""

    exit_status = 3


class AbstentionError(StanceError):
    """A model's calibration cannot keep the share of errors below what was asked for."""


class WorkerError(StanceError):
    """A process that computes parts of a run died, or cannot do its work."""


class MemoryLimitError(StanceError):
    """A command needs more memory than it was allowed."""


class OutputError(StanceError):
    """Writing failed: disk full, no permission, output exists."""

    exit_status = 4
