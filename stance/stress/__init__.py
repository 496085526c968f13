"""Behavioural tests of a model: what it answers when a text changes.

The tests follow Ribeiro, Wu, Guestrin and Singh (2020), "Beyond Accuracy: Behavioral Testing of NLP
Models with CheckList".
"""

from stance.stress.suite import StressReport, run_suite

__all__ = ["StressReport", "run_suite"]
