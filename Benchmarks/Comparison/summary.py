"""Medians and ranges over the rounds, and ratios of medians."""

import statistics
from collections import namedtuple

Spread = namedtuple("Spread", "median lowest highest count")


class Summary:
    """What the runs of a session say."""

    def __init__(self, runs):
        self.good = [run for run in runs if "error" not in run]
        self.failed = [run for run in runs if "error" in run]

    def spread(self, system, level, figure="lives_per_s"):
        """None where no round gave this figure."""
        found = [
            run[figure] for run in self.good if run["system"] == system and run["level"] == level and figure in run]
        return Spread(statistics.median(found), min(found), max(found), len(found)) if found else None

    def median(self, system, level, figure="lives_per_s"):
        spread = self.spread(system, level, figure)
        return spread.median if spread else None

    def ratio(self, system, other, level):
        """How many times the other's lives per second."""
        one, two = self.median(system, level), self.median(other, level)
        return one / two if one is not None and two else None
