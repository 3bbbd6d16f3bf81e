"""Every normalization layer in PyTorch, forward and backward with all gradients, on one tensor.

What PyTorch has as a module is that module; the rest is spelled out as its users do, and compiled.
"""

import time

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from peers.clock import median_time

EPSILON = 1e-5


class Spelled(nn.Module):
    """A layer of channels on axis 1 made of a formula."""

    def __init__(self, formula, channels):
        super().__init__()
        self.formula = formula
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.v = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x):
        return self.formula(self, x) * self.weight + self.bias


def filter_response(layer, x):
    return x * torch.rsqrt(x.square().mean((2, 3), keepdim=True) + EPSILON)


def evonorm_b0(layer, x):
    batch = (x.var((0, 2, 3), correction=0, keepdim=True) + EPSILON).sqrt()
    instance = (x.var((2, 3), correction=0, keepdim=True) + EPSILON).sqrt()
    return x / torch.maximum(batch, layer.v * x + instance)


def evonorm_s0(layer, x):
    groups = x.reshape(x.shape[0], 32, -1)
    deviation = (groups.var(2, correction=0) + EPSILON).sqrt()
    deviation = deviation.repeat_interleave(x.shape[1] // 32, 1)[:, :, None, None]
    return x * torch.sigmoid(layer.v * x) / deviation


def ghost(layer, x):
    parts = x.split(16)
    return torch.cat([functional.batch_norm(part, None, None, training=True) for part in parts])


def renorm(layer, x):
    """With running statistics of mean 0 and variance 1, as in the first step."""
    deviation = (x.var((0, 2, 3), correction=0, keepdim=True) + EPSILON).sqrt()
    mean = x.mean((0, 2, 3), keepdim=True)
    r, d = deviation.detach().clamp(1 / 3, 3), mean.detach().clamp(-5, 5)
    return (x - mean) / deviation * r + d


class Reparametrized(nn.Module):
    """The weight that a parametrization makes of what is learned."""

    def __init__(self, register, shape):
        super().__init__()
        self.layer = nn.Linear(shape[1], shape[0], bias=False)
        register(self.layer)

    def forward(self, _):
        return self.layer.weight


class Standardized(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(*shape))

    def forward(self, _):
        weight = self.weight
        centred = weight - weight.mean(1, keepdim=True)
        return centred * torch.rsqrt(weight.var(1, correction=0, keepdim=True) + EPSILON)


class Unit(nn.Module):
    def forward(self, x):
        return functional.normalize(x, dim=-1, eps=EPSILON)


def module(kind, shape):
    channels = shape[1] if len(shape) == 4 else shape[-1]
    spelled = {
        "filter-response-norm": filter_response,
        "evonorm-b0": evonorm_b0,
        "evonorm-s0": evonorm_s0,
        "ghost-batch-norm": ghost,
        "batch-renorm": renorm,
    }
    if kind in spelled:
        return Spelled(spelled[kind], channels)
    return {
        "batch-norm": lambda: nn.BatchNorm2d(channels),
        "layer-norm": lambda: nn.LayerNorm(channels),
        "rms-norm": lambda: nn.RMSNorm(channels, eps=EPSILON),
        "group-norm": lambda: nn.GroupNorm(32, channels),
        "instance-norm": lambda: nn.InstanceNorm2d(channels, affine=True),
        "local-response-norm": lambda: nn.LocalResponseNorm(5),
        "unit-norm": Unit,
        "weight-norm": lambda: Reparametrized(parametrizations.weight_norm, shape),
        "spectral-norm": lambda: Reparametrized(parametrizations.spectral_norm, shape),
        "weight-standardization": lambda: Standardized(shape),
    }[kind]()


def prepare(variant, workload):
    """`workload["shape"]` is (batch, height, width, channels), (rows, features) or (units, inputs)."""
    torch.set_num_threads(workload["threads"])
    torch.manual_seed(0)
    # Each shape and layout is compiled for itself, however many there are in a process.
    torch._dynamo.config.automatic_dynamic_shapes = False
    torch._dynamo.config.recompile_limit = 64
    shape, kind = workload["shape"], workload["kind"]
    type = {"float32": torch.float32, "bfloat16": torch.bfloat16}[workload["type"]]
    layout = torch.contiguous_format
    if len(shape) == 4:
        batch, height, width, channels = shape
        shape = (batch, channels, height, width)
        if variant.startswith("channels-last"):
            layout = torch.channels_last
    tensor = lambda: torch.randn(*shape).to(type).to(memory_format=layout)
    x, upstream = tensor().requires_grad_(), tensor()
    layer = module(kind, shape).to(type)
    layer.train()
    forward = torch.compile(layer) if variant.endswith("compiled") else layer

    def once():
        x.grad = None
        layer.zero_grad(set_to_none=True)
        start = time.perf_counter()
        forward(x).backward(upstream)
        return time.perf_counter() - start

    def measure():
        # Half as long before, as the others do: the processor comes from something else.
        median_time(once, workload["seconds"] / 2)
        return median_time(once, workload["seconds"])

    measure()
    return measure
