"""Inference of ResNet-20 with its batch norms folded away: EvenKeel, ONNX Runtime, PyTorch."""

from harness import race
from harness.contestant import evenkeel, peers, threads_environment
from harness.report import Goal

# Steps of one of EvenKeel's measurements, by batch size; the peers run for a time.
STEPS = {1: 4000, 128: 60}
VARIANTS = {
    "ONNX Runtime": ("peers.onnx_inference", ("folded", "with-norms")),
    "PyTorch": ("peers.torch_inference", ("eager", "compiled")),
}


def run(options):
    races, goals = [], []
    for batch in STEPS:
        result = inference_race(options, batch)
        races.append(result)
        if not options.peers_only:
            ours, other = result.winner("EvenKeel"), result.winner("ONNX Runtime")
            text = f"ResNet-20, inference, batch {batch}, against ONNX Runtime's best"
            goals.append(Goal(text, result.ratio(ours, other), 1.0))
    return races, goals


def inference_race(options, batch):
    steps = STEPS[batch] // (8 if options.quick else 1)
    workload = {
        "batchSize": batch,
        "seconds": options.seconds,
        "warmUpSeconds": options.seconds / 2,
        "threads": options.threads,
    }
    others = peers(VARIANTS, workload, threads_environment(options.threads))
    ours = [
        evenkeel(
            name,
            *("inference", "--model", "resnet20", "--batch-size", str(batch)),
            *("--steps", str(steps), "--threads", str(options.threads), *flags),
        )
        for name, flags in (("EvenKeel folded", ["--folded"]), ("EvenKeel with-norms", []))
    ]
    return race.run(
        f"Inference of ResNet-20 on 28x28x1, batch {batch}, float32, {options.threads} threads",
        options.contestants(ours, others),
        options.rounds,
        key="medianMilliseconds",
        higher=False,
        unit="ms",
    )
