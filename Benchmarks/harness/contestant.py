"""Who takes part: something that is started once and then measured round after round."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
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


class PeerProcess:
    """A process that peers are prepared and measured in; started when it is first asked for something."""

    def __init__(self, environment):
        self.environment = environment
        self.process = None
        self.errors = tempfile.TemporaryFile()

    def ask(self, **request):
        """The answer to a line to the process, one JSON line back."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "peers.worker"],
                cwd=BENCHMARKS,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
                env=os.environ | self.environment,
            )
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace").strip().splitlines()
            raise Unavailable(said[-1] if said else "it ended without a word")
        answer = json.loads(line)
        if "error" in answer:
            raise Unavailable(answer["error"])
        return answer

    def stop(self):
        if self.process is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@dataclass
class Peer:
    """A Python peer. No two frameworks share a process, and so threads or an allocator.

    It builds and warms up its variant once; a round is one request to its process.
    """

    name: str
    family: str
    module: str
    variant: str
    workload: dict
    environment: dict[str, str] = field(default_factory=dict)
    # One that variants of a framework share, stopped by whoever made it; else it has its own.
    shared: PeerProcess | None = None
    process: PeerProcess | None = field(default=None, init=False)
    number: int | None = field(default=None, init=False)

    def start(self):
        self.process = self.shared or PeerProcess(self.environment)
        request = [self.module, self.variant, self.workload]
        self.number = self.process.ask(prepare=request)["number"]

    def measure(self):
        return self.process.ask(measure=self.number)

    def stop(self):
        if self.shared is None:
            if self.process is not None:
                self.process.stop()
        elif self.number is not None:
            self.process.ask(forget=self.number)


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
