"""Batch norm and ReLU, forward and backward, on one tensor: EvenKeel, oneDNN, PyTorch, JAX."""

import shutil
import subprocess

from harness import race
from harness.contestant import (
    BENCHMARKS,
    ROOT,
    Command,
    Peer,
    evenkeel,
    peers,
    threads_environment,
)
from harness.report import Goal

SHAPES = [(64, 56, 56, 64), (128, 14, 14, 256)]  # batch, height, width, channels
ITERATIONS = 40  # of oneDNN's program; the Python peers run for a time
VARIANTS = {
    "PyTorch": (
        "peers.torch_layer",
        ("channels-last", "channels-last-compiled", "contiguous", "contiguous-compiled"),
    ),
    "JAX": ("peers.jax_layer", ("jit",)),
}
# glibc gives big blocks back to the system at once, and every step faults all its pages in again.
# These settings make it keep them: PyTorch's best, though not what its users get unasked.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 33),
    "MALLOC_TOP_PAD_": str(1 << 28),
}


def run(options):
    primitive = build_onednn()
    races, goals = [], []
    for shape in SHAPES:
        result = layer_race(options, shape, primitive)
        races.append(result)
        if not options.peers_only and shape == SHAPES[0]:
            goals += goals_of(result, shape)
    return races, goals


def goals_of(result, shape):
    by_name = {entry.name: entry for entry in result.entries if entry.values}
    ours, axis1 = by_name.get("EvenKeel"), by_name.get("EvenKeel, channel axis 1")
    name = "BN + ReLU " + "x".join(map(str, shape))
    return [
        Goal(f"{name}, against PyTorch", result.ratio(ours, result.winner("PyTorch")), 6.0),
        Goal(
            f"{name}, against oneDNN's primitive", result.ratio(ours, result.winner("oneDNN")), 1.0
        ),
        Goal(f"{name}, channel axis 1 against last", result.ratio(axis1, ours), 1 / 1.5),
    ]


def layer_race(options, shape, primitive):
    threads, environment = options.threads, threads_environment(options.threads)
    iterations = ITERATIONS // (4 if options.quick else 1)
    workload = {
        "shape": shape,
        "seconds": options.seconds,
        "warmUpSeconds": options.seconds / 2,
        "threads": threads,
    }
    batch, height, width, channels = shape
    ours = [
        layer("EvenKeel", shape, -1, threads),
        layer("EvenKeel, channel axis 1", (batch, channels, height, width), 1, threads),
    ]
    others = [
        Command(
            f"oneDNN {layout}",
            "oneDNN",
            [str(primitive), layout, *map(str, shape), str(iterations)],
            environment,
        )
        for layout in ("nhwc", "blocked")
    ] + peers(VARIANTS, workload, environment)
    others.append(
        Peer(
            "PyTorch channels-last, memory kept",
            "PyTorch, memory kept",
            "peers.torch_layer",
            "channels-last",
            workload,
            environment | KEEP_MEMORY,
        )
    )
    return race.run(
        f"BN + ReLU forward and backward, {shape}, float32, {threads} threads",
        options.contestants(ours, others),
        options.rounds,
        key="medianMilliseconds",
        higher=False,
        unit="ms",
    )


def layer(name, shape, axis, threads):
    return evenkeel(
        name,
        *("layer", "--shape", ",".join(map(str, shape)), f"--axis={axis}"),
        *("--activation", "relu", "--threads", str(threads)),
    )


def build_onednn():
    """Compiles the C program; where that fails, the race says that the program is missing."""
    program = ROOT / ".build" / "onednn_batchnorm"
    program.parent.mkdir(exist_ok=True)
    program.unlink(missing_ok=True)
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is not None:
        source = BENCHMARKS / "onednn_batchnorm.c"
        subprocess.run([compiler, "-O2", "-o", str(program), str(source), "-ldnnl"])
    return program
