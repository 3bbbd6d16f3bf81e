"""schedules.json: the learning rate of every step under PyTorch's schedulers."""

import warnings

import torch
from torch.optim import lr_scheduler

from fixture_io import write

STEPS = 40
BASE = 0.1
SCHEDULES = [
    ("constant", {}, lambda o: lr_scheduler.LambdaLR(o, lambda step: 1.0)),
    ("step", {"every": 7, "factor": 0.5}, lambda o: lr_scheduler.StepLR(o, 7, gamma=0.5)),
    (
        "multiStep",
        {"at": [5, 12, 30], "factor": 0.1},
        lambda o: lr_scheduler.MultiStepLR(o, [5, 12, 30], gamma=0.1),
    ),
    (
        "cosine",
        {"steps": 39, "minimum": 0.0},
        lambda o: lr_scheduler.CosineAnnealingLR(o, 39),
    ),
    (
        "cosine",
        {"steps": 39, "minimum": 0.01},
        lambda o: lr_scheduler.CosineAnnealingLR(o, 39, eta_min=0.01),
    ),
    (
        "linearWarmup",
        {"steps": 10, "startFactor": 0.1},
        lambda o: lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=10),
    ),
    (
        "linearWarmupThenCosine",
        {"warmup": 8, "startFactor": 0.05, "steps": 31, "minimum": 0.001},
        lambda o: lr_scheduler.SequentialLR(
            o,
            [
                lr_scheduler.LinearLR(o, start_factor=0.05, total_iters=8),
                lr_scheduler.CosineAnnealingLR(o, 31, eta_min=0.001),
            ],
            [8],
        ),
    ),
    (
        "oneCycle",
        {"maximum": 0.1, "steps": 40, "warmup": 0.3, "divisor": 25.0, "finalDivisor": 1e4},
        lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=40, cycle_momentum=False),
    ),
    (
        "oneCycle",
        {"maximum": 0.1, "steps": 40, "warmup": 0.25, "divisor": 10.0, "finalDivisor": 100.0},
        lambda o: lr_scheduler.OneCycleLR(
            o,
            0.1,
            total_steps=40,
            pct_start=0.25,
            div_factor=10.0,
            final_div_factor=100.0,
            cycle_momentum=False,
        ),
    ),
]


def rates(make):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=BASE)
    scheduler = make(optimizer)
    sequence = []
    for _ in range(STEPS):
        sequence.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(sequence) < STEPS:
            scheduler.step()
    return sequence


def main():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = [
            {"schedule": name, "base": BASE, "options": options, "rates": rates(make)}
            for name, options, make in SCHEDULES
        ]
    write("schedules", {"cases": cases})


if __name__ == "__main__":
    main()
