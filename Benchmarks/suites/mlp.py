"""Training the article's 784-128-BN-ReLU-10-BN with Adam: EvenKeel, PyTorch, JAX."""

from harness import race
from harness.contestant import evenkeel, peers, threads_environment
from harness.report import Goal

# Steps of one of EvenKeel's measurements, by batch size; the peers run for a time.
STEPS = {128: 4000, 32: 10000}
VARIANTS = {
    "PyTorch": ("peers.torch_mlp", ("eager", "compiled", "compiled-step")),
    "JAX": ("peers.jax_mlp", ("step", "scan", "flax", "flax-scan")),
}
# Against the forms people train with, where data arrives step by step, and against the best of all.
GOALS = [
    ("JAX, a call a step", "JAX", ("step", "flax"), 1.8),
    ("JAX's best", "JAX", None, 1.8),
    ("PyTorch, eager or its model compiled", "PyTorch", ("eager", "compiled"), 2.5),
    ("PyTorch's best", "PyTorch", None, 2.5),
]


def run(options):
    races, goals = [], []
    for batch in (128, 32):
        result = train_race(options, batch)
        races.append(result)
        if batch == 128 and not options.peers_only:
            goals += [
                Goal(
                    f"MLP, batch {batch}, against {text}",
                    result.ratio(result.winner("EvenKeel"), result.winner(family, variants)),
                    bound,
                )
                for text, family, variants, bound in GOALS
            ]
    return races, goals


def train_race(options, batch):
    steps = STEPS[batch] // (8 if options.quick else 1)
    workload = {
        "batchSize": batch,
        "seconds": options.seconds,
        "warmUpSeconds": options.seconds / 2,
        "threads": options.threads,
    }
    others = peers(VARIANTS, workload, threads_environment(options.threads))
    return race.run(
        f"Training the MLP, Adam, batch {batch}, float32, {options.threads} threads",
        options.contestants([ours(options.threads, batch, steps)], others),
        options.rounds,
        key="samplesPerSecond",
        higher=True,
        unit="samples/s",
    )


def ours(threads, batch, steps):
    return evenkeel(
        "EvenKeel",
        *("train", "--model", "mlp", "--norm", "batch"),
        *("--batch-size", str(batch), "--steps", str(steps), "--threads", str(threads)),
    )
