"""The doctor: what in a corpus would spoil a study."""

from stance.check.doctor import check

__all__ = ["check"]
