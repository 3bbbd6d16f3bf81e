"""The article's network in PyTorch, in every form that might be its fastest.

`eager`          modules, Adam fused into one kernel
`compiled`       the model compiled, forward and backward; the same Adam
`compiled-step`  forward, backward and Adam in one compiled function without autograd's machinery
"""

import torch
from torch import nn

from peers.clock import throughput
from peers.torch_memory import saved_activation_bytes

VARIANTS = ("eager", "compiled", "compiled-step")
RING = 8  # different batches, so that nothing can be computed once and kept


def prepare(variant, workload):
    torch.set_num_threads(workload["threads"])
    torch.manual_seed(0)
    batch = workload["batchSize"]
    batches = [(torch.rand(batch, 784), torch.randint(0, 10, (batch,))) for _ in range(RING)]
    step = compiled_step() if variant == "compiled-step" else module_step(variant == "compiled")

    def block():
        for x, labels in batches:
            step(x, labels)

    block()
    model = network()
    saved = {
        "savedActivationBytes": saved_activation_bytes(
            model, lambda x, labels: nn.functional.cross_entropy(model(x), labels), *batches[0]
        )
    }

    def measure(seconds=workload["seconds"]):
        return throughput(block, RING, batch, seconds) | saved

    measure(workload["warmUpSeconds"])
    return measure


def network():
    return nn.Sequential(
        nn.Linear(784, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10), nn.BatchNorm1d(10)
    )


def module_step(compile_model):
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def loss(x, labels):
        return nn.functional.cross_entropy(model(x), labels)

    if compile_model:
        loss = torch.compile(loss)

    def step(x, labels):
        optimizer.zero_grad(set_to_none=True)
        loss(x, labels).backward()
        optimizer.step()

    return step


def compiled_step(rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, momentum=0.1):
    model = network()
    names = [name for name, _ in model.named_parameters()]
    values = {name: value.detach().clone() for name, value in model.named_parameters()}
    first = {name: torch.zeros_like(values[name]) for name in names}
    second = {name: torch.zeros_like(values[name]) for name in names}
    running = {
        layer: (torch.zeros(width), torch.ones(width)) for layer, width in [("1", 128), ("4", 10)]
    }
    count = torch.zeros(())

    def batch_norm(x, layer):
        variance, mean = torch.var_mean(x, 0, correction=0)
        y = (x - mean) * torch.rsqrt(variance + 1e-5)
        return y * layer["weight"] + layer["bias"], (mean, variance)

    def loss(values, x, labels):
        layer = lambda index: {key: values[f"{index}.{key}"] for key in ("weight", "bias")}
        x = nn.functional.linear(x, values["0.weight"], values["0.bias"])
        x, hidden = batch_norm(x, layer(1))
        x = nn.functional.linear(x.relu(), values["3.weight"], values["3.bias"])
        x, output = batch_norm(x, layer(4))
        return nn.functional.cross_entropy(x, labels), {"1": hidden, "4": output}

    @torch.compile(fullgraph=True)
    def step(values, first, second, running, count, x, labels):
        gradients, statistics = torch.func.grad(loss, has_aux=True)(values, x, labels)
        count += 1
        scale = rate * torch.sqrt(1 - beta2**count) / (1 - beta1**count)
        for name in names:
            first[name].lerp_(gradients[name], 1 - beta1)
            second[name].lerp_(gradients[name] * gradients[name], 1 - beta2)
            values[name].sub_(scale * first[name] / (second[name].sqrt() + epsilon))
        rows = x.shape[0]
        for layer, (mean, variance) in statistics.items():
            running[layer][0].lerp_(mean, momentum)
            running[layer][1].lerp_(variance * (rows / (rows - 1)), momentum)

    def whole_step(x, labels):
        with torch.no_grad():
            step(values, first, second, running, count, x, labels)

    return whole_step
