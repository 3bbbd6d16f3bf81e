"""Training networks for images: EvenKeel and PyTorch, with batch norm and with biases in its place."""

from dataclasses import dataclass

from harness import race
from harness.contestant import Peer, evenkeel, threads_environment
from harness.report import Goal


@dataclass
class Work:
    """A network, its input, and what is asked of it."""

    model: str
    image: tuple[int, int, int]  # height, width, channels
    batch: int
    precision: str
    steps: int  # of one of EvenKeel's measurements; the peers run for a time
    variants: tuple[str, ...]  # of PyTorch
    against_pytorch: float | None  # so many times as fast
    batch_norm_adds: float  # at most this part of the step without it

    @property
    def name(self):
        return f"{self.model}, {self.precision}"


WORK = [
    Work("resnet20", (28, 28, 1), 128, "float32", 20, ("eager", "compiled"), 1.35, 0.08),
    Work("resnet20", (28, 28, 1), 128, "bfloat16", 30, ("eager", "compiled"), 1.4, 0.06),
    Work("resnet18", (32, 32, 3), 64, "float32", 2, ("eager",), None, 0.02),
    Work("mobilenetv2", (32, 32, 3), 64, "float32", 3, ("eager",), None, 0.15),
]
SAVED_BYTES = 100e6  # of activations, for ResNet-20 in float32


def run(options):
    races, goals = [], []
    for work in WORK:
        result = train_race(options, work)
        races.append(result)
        if not options.peers_only:
            goals += goals_of(work, result)
    return races, goals


def goals_of(work, result):
    ours, bias = result.winner("EvenKeel"), result.winner("EvenKeel, bias")
    peer = result.winner("PyTorch")
    goals = []
    if work.against_pytorch is not None:
        goals += [
            Goal(
                f"{work.name}, against PyTorch's best", result.ratio(ours, peer),
                work.against_pytorch,
            ),
            Goal(
                f"{work.name}, peak memory, PyTorch's part by ours",
                detail(peer, "peakMemoryBytes", ours), 1.0,
            ),
        ]
    goals.append(
        Goal(
            f"{work.name}, with batch norm against with biases", result.ratio(ours, bias),
            1 / (1 + work.batch_norm_adds),
        )
    )
    if work.model == "resnet20" and work.precision == "float32" and ours is not None:
        saved = ours.details[-1]["savedActivationBytes"]
        goals.append(
            Goal(f"{work.name}, 100 MB by saved activations", SAVED_BYTES / saved, 1.0)
        )
    return goals


def detail(entry, key, other):
    """How many times `other`'s figure `entry`'s is; nothing where either did not run."""
    if entry is None or other is None:
        return None
    return entry.details[-1][key] / other.details[-1][key]


def train_race(options, work):
    ours, peers = [], []
    for suffix, batch_norm in (("", True), (", bias", False)):
        ours.append(contestant(options, work, suffix, batch_norm))
        workload = {
            "model": work.model,
            "image": work.image,
            "batchSize": work.batch,
            "precision": work.precision,
            "batchNorm": batch_norm,
            "seconds": options.seconds,
            "warmUpSeconds": options.seconds,
            "threads": options.threads,
        }
        peers += [
            Peer(
                f"PyTorch {variant}{suffix}", f"PyTorch{suffix}", "peers.torch_images", variant,
                workload, threads_environment(options.threads),
            )
            for variant in work.variants
        ]
    height, width, channels = work.image
    return race.run(
        f"Training {work.model}, {height}x{width}x{channels}, Adam, batch {work.batch}, "
        f"{work.precision}, {options.threads} threads",
        options.contestants(ours, peers),
        options.rounds,
        key="samplesPerSecond",
        higher=True,
        unit="images/s",
    )


def contestant(options, work, suffix, batch_norm):
    result = evenkeel(
        f"EvenKeel{suffix}",
        *("train", "--model", work.model, "--norm", "batch" if batch_norm else "none"),
        *("--image", "x".join(map(str, work.image)), "--precision", work.precision),
        *("--batch-size", str(work.batch), "--steps", str(work.steps)),
        *("--threads", str(options.threads)),
    )
    result.family = f"EvenKeel{suffix}"
    return result
