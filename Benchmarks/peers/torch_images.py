"""Whole training steps of networks for images in PyTorch, channels last, with Adam fused into one kernel.

Variants: `eager`, or `compiled` (forward and backward). The workload says which network, the image, the
batch, the precision (`bfloat16` is autocast), and whether there is batch norm or a bias in its place.
"""

import resource

import torch
from torch import nn

from peers.clock import throughput
from peers.torch_memory import saved_activation_bytes
from peers.torch_networks import NETWORKS

VARIANTS = ("eager", "compiled")
RING = 2  # different batches, so that nothing can be computed once and kept


def prepare(variant, workload):
    torch.set_num_threads(workload["threads"])
    torch.manual_seed(0)
    batch, (height, width, channels) = workload["batchSize"], workload["image"]
    model = NETWORKS[workload["model"]](channels, 10, workload["batchNorm"])
    model = model.to(memory_format=torch.channels_last)
    batches = [
        (
            torch.rand(batch, channels, height, width).to(memory_format=torch.channels_last),
            torch.randint(0, 10, (batch,)),
        )
        for _ in range(RING)
    ]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    is_half = workload["precision"] == "bfloat16"

    def loss(x, labels):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_half):
            output = model(x)
        return nn.functional.cross_entropy(output.float(), labels)

    saved = {"savedActivationBytes": saved_activation_bytes(model, loss, *batches[0])}
    if variant == "compiled":
        loss = torch.compile(loss)

    def block():
        for x, labels in batches:
            optimizer.zero_grad(set_to_none=True)
            loss(x, labels).backward()
            optimizer.step()

    def measure(seconds=workload["seconds"]):
        peak = {"peakMemoryBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
        return throughput(block, RING, batch, seconds) | saved | peak

    measure(workload["warmUpSeconds"])
    return measure
