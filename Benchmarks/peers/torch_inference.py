"""ResNet-20 without batch norms (folded into its convolutions) in PyTorch, for inference.

`eager`     channels last
`compiled`  the same, compiled
"""

import time

import torch
from torch import nn

from peers.clock import median_time

VARIANTS = ("eager", "compiled")


def prepare(variant, workload):
    torch.set_num_threads(workload["threads"])
    torch.manual_seed(0)
    model = ResNet().eval().to(memory_format=torch.channels_last)
    if variant == "compiled":
        model = torch.compile(model)
    batch = workload["batchSize"]
    images = torch.rand(batch, 1, 28, 28).to(memory_format=torch.channels_last)

    def once():
        start = time.perf_counter()
        with torch.inference_mode():
            model(images)
        return time.perf_counter() - start

    def measure(seconds=workload["seconds"]):
        return median_time(once, seconds)

    measure(workload["warmUpSeconds"])
    return measure


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, width, 3, stride, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = (
            nn.Identity() if inputs == width else nn.Conv2d(inputs, width, 1, stride)
        )

    def forward(self, x):
        return (self.second(self.first(x).relu()) + self.shortcut(x)).relu()


class ResNet(nn.Module):
    def __init__(self, blocks=3):
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, padding=1)
        layers, inputs = [], 16
        for stage, width in enumerate((16, 32, 64)):
            for block in range(blocks):
                layers.append(Block(inputs, width, 2 if stage > 0 and block == 0 else 1))
                inputs = width
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x).relu()).mean((2, 3)))
