"""Batch norm and ReLU, forward and backward, in PyTorch.

Variants: `channels-last` or `contiguous` memory, eager (ReLU in place) or compiled.
"""

import time

import torch
from torch import nn

from peers.clock import median_time

VARIANTS = ("channels-last", "channels-last-compiled", "contiguous", "contiguous-compiled")


def prepare(variant, workload):
    """`workload["shape"]` is (batch, height, width, channels)."""
    torch.set_num_threads(workload["threads"])
    torch.manual_seed(0)
    batch, height, width, channels = workload["shape"]
    layout = torch.channels_last if variant.startswith("channels-last") else torch.contiguous_format
    tensor = lambda: torch.randn(batch, channels, height, width).to(memory_format=layout)
    x, upstream = tensor().requires_grad_(), tensor()
    layer = nn.BatchNorm2d(channels)
    compiled = variant.endswith("compiled")

    def forward(x):
        return nn.functional.relu(layer(x), inplace=not compiled)

    if compiled:
        forward = torch.compile(forward)

    def once():
        x.grad = layer.weight.grad = layer.bias.grad = None
        start = time.perf_counter()
        y = forward(x)
        y.backward(upstream)
        return time.perf_counter() - start

    def measure(seconds=workload["seconds"]):
        return median_time(once, seconds)

    measure(workload["warmUpSeconds"])
    return measure
