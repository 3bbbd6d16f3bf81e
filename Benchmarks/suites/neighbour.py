"""A noisy neighbour: with one core busy elsewhere, two threads must not be slower than one."""

import os
import subprocess
import sys
from dataclasses import dataclass

from harness import race
from harness.contestant import Command
from harness.report import Goal
from suites import mlp

BATCH, STEPS = 128, 2000


@dataclass
class Beside(Command):
    """A command measured while a busy loop sits on one processor."""

    processor: int = 0

    def measure(self):
        loop = subprocess.Popen(
            [sys.executable, "-c", "while True: pass"],
            preexec_fn=lambda: os.sched_setaffinity(0, [self.processor]),
        )
        try:
            return super().measure()
        finally:
            loop.kill()
            loop.wait()


def run(options):
    if options.peers_only:
        return [], []
    steps = STEPS // (8 if options.quick else 1)
    contestants = []
    for threads in (1, options.threads):
        command = mlp.ours(threads, BATCH, steps)
        name = f"{threads} thread" + ("s" if threads > 1 else "")
        contestants.append(
            Beside(name, "EvenKeel", command.arguments, processor=options.processors[0])
        )
    result = race.run(
        f"Training the MLP, batch {BATCH}, beside a busy loop on one core",
        contestants,
        options.rounds,
        key="samplesPerSecond",
        higher=True,
        unit="samples/s",
    )
    one, more = [entry if entry.values else None for entry in result.entries]
    text = f"{options.threads} threads against 1, beside a busy loop"
    return [result], [Goal(text, result.ratio(more, one), 1.0)]
