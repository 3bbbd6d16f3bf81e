"""Every normalization layer, forward and backward, at two sizes: EvenKeel and PyTorch at its best."""

import os

from harness import race
from harness.contestant import ROOT, Peer, PeerProcess, evenkeel, threads_environment
from harness.report import Goal
from suites.layer import KEEP_MEMORY

IMAGES = [(32, 28, 28, 64), (32, 14, 14, 256)]  # batch, height, width, channels
ROWS = [(4096, 768), (512, 4096)]
WEIGHTS = [(512, 4608), (1024, 1024)]  # output unit first
KINDS = {
    "batch-norm": IMAGES,
    "group-norm": IMAGES,
    "instance-norm": IMAGES,
    "local-response-norm": IMAGES,
    "filter-response-norm": IMAGES,
    "evonorm-b0": IMAGES,
    "evonorm-s0": IMAGES,
    "ghost-batch-norm": IMAGES,
    "batch-renorm": IMAGES,
    "layer-norm": ROWS,
    "rms-norm": ROWS,
    "unit-norm": ROWS,
    "weight-norm": WEIGHTS,
    "spectral-norm": WEIGHTS,
    "weight-standardization": WEIGHTS,
}
# Of each of the many cases; a run of one takes milliseconds at most.
SECONDS = 0.1
ROUNDS = 5
BFLOAT16 = ("batch-norm", "group-norm", "layer-norm", "rms-norm")


def run(options):
    """All of them, or those that EVENKEEL_LAYERS names, with commas between."""
    wanted = os.environ.get("EVENKEEL_LAYERS", ",".join(KINDS)).split(",")
    races, goals = [], []
    # What PyTorch has compiled before need not be compiled again.
    compiled = {"TORCHINDUCTOR_CACHE_DIR": str(ROOT / ".build" / "torchinductor")}
    environment = threads_environment(options.threads) | KEEP_MEMORY | compiled
    for kind in (kind for kind in KINDS if kind in wanted):
        process = PeerProcess(environment)
        try:
            for type in ("float32", "bfloat16") if kind in BFLOAT16 else ("float32",):
                for shape in KINDS[kind]:
                    result = layer_race(options, process, kind, shape, type)
                    races.append(result)
                    if not options.peers_only:
                        goals += goals_of(result, kind, shape, type)
        finally:
            process.stop()
    return races, goals


def goals_of(result, kind, shape, type):
    by_name = {entry.name: entry for entry in result.entries if entry.values}
    name = f"{kind} {type} {'x'.join(map(str, shape))}"
    ours, other = by_name.get("EvenKeel"), by_name.get("EvenKeel, channel axis 1")
    goals = [Goal(f"{name}, against PyTorch", result.ratio(ours, result.winner("PyTorch")), 1.0)]
    if kind == "batch-norm":
        goals.append(Goal(f"{name}, channel axis 1 against last", result.ratio(other, ours), 1 / 1.5))
    return goals


def layer_race(options, process, kind, shape, type):
    workload = {
        "kind": kind,
        "shape": shape,
        "type": type,
        "seconds": SECONDS,
        "threads": options.threads,
    }
    ours = [contestant("EvenKeel", kind, shape, -1, type, options)]
    variants = ["eager", "compiled"]
    if len(shape) == 4:
        batch, height, width, channels = shape
        first = (batch, channels, height, width)
        ours.append(contestant("EvenKeel, channel axis 1", kind, first, 1, type, options))
        variants = [f"{layout}{form}" for layout in ("channels-last", "contiguous")
                    for form in ("", "-compiled")]
    peers = [
        Peer(
            f"PyTorch {variant}", "PyTorch", "peers.torch_layers", variant, workload, shared=process
        )
        for variant in variants
    ]
    return race.run(
        f"{kind}, forward and backward, {shape}, {type}, {options.threads} threads",
        options.contestants(ours, peers),
        min(options.rounds, ROUNDS),
        key="medianMilliseconds",
        higher=False,
        unit="ms",
    )


def contestant(name, kind, shape, axis, type, options):
    return evenkeel(
        name,
        *("layer", "--kind", kind, "--shape", ",".join(map(str, shape)), f"--axis={axis}"),
        *("--type", type, "--activation", "none", "--threads", str(options.threads)),
        *("--seconds", str(SECONDS)),
        environment=KEEP_MEMORY,
    )
