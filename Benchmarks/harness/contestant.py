"""Who takes part: something that is started once and then measured round after round."""

import json
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "Benchmarks"
EVENKEEL = ROOT / ".build" / "release" / "evenkeel"


class Unavailable(Exception):
    """This contestant cannot run here; the race goes on without it."""


@dataclass
class Command:
    """A program that prints one JSON object, run once a round."""

    name: str
    family: str
    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    timeout: float = 600

    def start(self):
        if not pathlib.Path(self.arguments[0]).exists():
            raise Unavailable(f"{self.arguments[0]} does not exist")

    def measure(self):
        result = subprocess.run(
            self.arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.timeout,
            env=os.environ | self.environment,
        )
        lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
        if result.returncode != 0 or not lines:
            said = (result.stderr or result.stdout).strip().splitlines() or ["nothing"]
            problem = f"exit status {result.returncode}" if result.returncode else "no JSON"
            raise Unavailable(f"{problem}; it said: {said[-1]}")
        return json.loads(lines[-1])

    def stop(self):
        pass


@dataclass
class Peer:
    """A Python peer in a process of its own: no two frameworks share threads or an allocator.

    It builds and warms up its variant once; a round is one line to it and one JSON line back.
    """

    name: str
    family: str
    module: str
    variant: str
    workload: dict
    environment: dict[str, str] = field(default_factory=dict)

    def start(self):
        arguments = [self.module, self.variant, json.dumps(self.workload)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "peers.worker", *arguments],
            cwd=BENCHMARKS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | self.environment,
        )
        self.answer()

    def measure(self):
        print("go", file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            said = self.process.stderr.read().strip().splitlines() or ["it ended without a word"]
            raise Unavailable(said[-1])
        return json.loads(line)

    def stop(self):
        if getattr(self, "process", None) is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def evenkeel(name, *arguments, environment=None):
    command = [str(EVENKEEL), "benchmark", *arguments, "--json"]
    return Command(name, "EvenKeel", command, environment or {})


def threads_environment(threads):
    """Thread counts for everything that reads them from the environment."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def peers(variants, workload, environment):
    """All variants of all families, from `{family: (module, variants)}`."""
    return [
        Peer(f"{family} {variant}", family, module, variant, workload, environment)
        for family, (module, names) in variants.items()
        for variant in names
    ]
