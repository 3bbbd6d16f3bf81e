"""Rounds: every contestant once a round, so that what the machine does meanwhile hits all alike."""

import statistics
import sys
from dataclasses import dataclass, field

from harness.contestant import Unavailable


@dataclass
class Entry:
    """One contestant's results: a value per round, and the whole JSON of each."""

    name: str
    family: str
    values: list[float] = field(default_factory=list)
    details: list[dict] = field(default_factory=list)
    unavailable: str | None = None

    @property
    def median(self):
        return statistics.median(self.values) if self.values else None

    def best(self, higher):
        return (max if higher else min)(self.values) if self.values else None


@dataclass
class Race:
    """The results of one workload; `key` is the JSON field compared, `higher`: more is better."""

    title: str
    key: str
    higher: bool
    unit: str
    scale: float
    entries: list[Entry]

    def winner(self, family, variants=None):
        """The best median among a family's variants (all, or those named); None when none ran."""
        names = None if variants is None else {f"{family} {variant}" for variant in variants}
        ran = [
            entry
            for entry in self.entries
            if entry.values and entry.family == family and (names is None or entry.name in names)
        ]
        choose = max if self.higher else min
        return choose(ran, key=lambda entry: entry.median, default=None)

    def ratio(self, entry, other):
        """How many times as fast `entry` is as `other`."""
        if entry is None or other is None:
            return None
        faster = entry.median / other.median
        return faster if self.higher else 1 / faster


def run(title, contestants, rounds, key, higher, unit, scale=1.0):
    print(f"\n{title}", file=sys.stderr)
    entries = [Entry(contestant.name, contestant.family) for contestant in contestants]
    try:
        for contestant, entry in zip(contestants, entries):
            attempt(entry, contestant.start)
        for number in range(rounds):
            # Another order each round: nobody always follows the same neighbour.
            for index in sorted(range(len(entries)), key=lambda i: (i + number) % len(entries)):
                attempt(entries[index], lambda: record(entries[index], contestants[index], key))
            print(f"  round {number + 1} of {rounds}", file=sys.stderr)
    finally:
        for contestant in contestants:
            contestant.stop()
    return Race(title, key, higher, unit, scale, entries)


def attempt(entry, action):
    if entry.unavailable is not None:
        return
    try:
        action()
    except Unavailable as reason:
        entry.unavailable = str(reason)
        print(f"  {entry.name}: {reason}", file=sys.stderr)


def record(entry, contestant, key):
    result = contestant.measure()
    if key not in result:
        raise Unavailable(f"its result has no {key}")
    entry.values.append(result[key])
    entry.details.append(result)
