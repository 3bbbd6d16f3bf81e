"""training.json, training_article.json: 200 steps of small networks, by PyTorch in float64.

A network's loss is only comparable between float32 and float64 while no ReLU's input has another
sign in the one than in the other. So the small networks take the first seed whose ReLU inputs keep
away from zero by MARGIN during the whole training, and the article's network, with far too many of
them for that, starts with every unit five standard deviations away from its corner.

Dense layers in front of batch norm have no bias here under Adam: its gradient is exactly zero, and
Adam would blow its rounding noise up to whole steps, in another direction in every program.
"""

import torch
from torch import nn

from fixture_io import exact, generator, normal, tensor, tensors, write

STEPS = 200
MARGIN = 5e-5


def dense(numbers, inputs, outputs, bias):
    """He's initialization, exact in float32."""
    layer = nn.Linear(inputs, outputs, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(normal(numbers, outputs, inputs, scale=(2 / inputs) ** 0.5))
        if bias:
            layer.bias.copy_(normal(numbers, outputs, scale=0.1))
    return layer


def norm(kind, width):
    if kind == "batch":
        return [nn.BatchNorm1d(width, dtype=torch.float64)]
    if kind == "layer":
        return [nn.LayerNorm(width, dtype=torch.float64)]
    return []


def train(model, optimizer, batches):
    """Trains over the batches; returns every step's loss and the ReLU inputs' smallest |x|."""
    losses, margin = [], float("inf")

    def watch(module, inputs):
        nonlocal margin
        margin = min(margin, inputs[0].detach().abs().min().item())

    hooks = [m.register_forward_pre_hook(watch) for m in model if isinstance(m, nn.ReLU)]
    for x, labels in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    for hook in hooks:
        hook.remove()
    return losses, margin


def clustered(numbers, rows, features, classes):
    """A learnable problem: noisy class centres."""
    labels = torch.randint(0, classes, (rows,), generator=numbers)
    centres = normal(numbers, classes, features)
    return exact(centres[labels] + normal(numbers, rows, features, scale=1.5)), labels


SMALL = [
    (
        "batch",
        "sgd",
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
        {"lr": 0.05, "momentum": 0.9},
        True,
    ),
    ("batch", "adam", lambda p: torch.optim.Adam(p, lr=0.01), {"lr": 0.01}, False),
    ("layer", "adam", lambda p: torch.optim.Adam(p, lr=0.01), {"lr": 0.01}, True),
    ("none", "adam", lambda p: torch.optim.Adam(p, lr=0.01), {"lr": 0.01}, True),
]


def small_case(kind, optimizer, make, options, bias, rows=256, batch=32):
    for seed in range(1000):
        numbers = generator(seed)
        x, labels = clustered(numbers, rows, 20, 5)
        model = nn.Sequential(
            dense(numbers, 20, 16, bias),
            *norm(kind, 16),
            nn.ReLU(),
            dense(numbers, 16, 5, bias),
            *norm(kind, 5),
        )
        initial = tensors(model.state_dict())
        starts = [step * batch % rows for step in range(STEPS)]
        batches = [(x[start : start + batch], labels[start : start + batch]) for start in starts]
        losses, margin = train(model, make(model.parameters()), batches)
        if margin >= MARGIN:
            break
    else:
        raise RuntimeError("no seed keeps the ReLUs away from their corners")
    model.eval()
    return {
        "name": f"{kind}-{optimizer}",
        "layers": [20, 16, 5],
        "norm": kind,
        "bias": bias,
        "optimizer": optimizer,
        "options": options,
        "batchSize": batch,
        "steps": STEPS,
        "seed": seed,
        "margin": margin,
        "inputs": tensor(x),
        "labels": tensor(labels),
        "initial": initial,
        "losses": losses,
        "final": tensors(model.state_dict()),
        "inference": tensor(model(x[:batch])),
    }


MASK = 2**64 - 1


def splitmix(seed, count):
    """`count` numbers in [-1, 1), multiples of 2^-23: the top 24 bits of SplitMix64's outputs."""
    state, values = seed, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        values.append(((z ^ (z >> 31)) >> 40) * 2.0**-23 - 1)
    return torch.tensor(values, dtype=torch.float64)


def article_case(rows=512, batch=128):
    """The article's 784-128-BN-ReLU-10-BN. Its data and weights are made by a formula, not stored.

    A unit far on one side of its corner passes its beta on to the second batch norm, which removes
    it: another gradient of zero, which the large epsilon keeps Adam from blowing up.
    """
    options = {"lr": 0.002, "eps": 1e-4}
    x = splitmix(1, rows * 784).reshape(rows, 784)
    labels = torch.tensor([(row * 7 + row // 10) % 10 for row in range(rows)])
    model = nn.Sequential(
        nn.Linear(784, 128, bias=False, dtype=torch.float64),
        nn.BatchNorm1d(128, dtype=torch.float64),
        nn.ReLU(),
        nn.Linear(128, 10, bias=False, dtype=torch.float64),
        nn.BatchNorm1d(10, dtype=torch.float64),
    )
    with torch.no_grad():
        model[0].weight.copy_(splitmix(2, 128 * 784).reshape(128, 784) / 16)
        model[1].weight.fill_(0.1875)
        model[1].bias.copy_(torch.tensor([-1.0 if unit % 4 == 3 else 1.0 for unit in range(128)]))
        model[3].weight.copy_(splitmix(3, 10 * 128).reshape(10, 128) / 8)
    starts = [step * batch % rows for step in range(STEPS)]
    batches = [(x[start : start + batch], labels[start : start + batch]) for start in starts]
    losses, margin = train(model, torch.optim.Adam(model.parameters(), **options), batches)
    if margin < 1e-4:
        raise RuntimeError(f"a ReLU's input came as near to its corner as {margin}")
    model.eval()
    final = model.state_dict()
    # The large weight matrix through two projections of each of its rows.
    weight = final.pop("0.weight")
    return {
        "layers": [784, 128, 10],
        "optimizer": "adam",
        "options": options,
        "batchSize": batch,
        "rows": rows,
        "steps": STEPS,
        "margin": margin,
        "firstInputs": tensor(x[0, :8]),
        "firstWeights": tensor(splitmix(2, 8) / 16),
        "losses": losses,
        "final": tensors(final),
        "finalRowSums": tensor(weight.sum(1)),
        "finalRowProjections": tensor(weight @ splitmix(4, 784)),
        "finalCorner": tensor(weight[:4, :8]),
        "inference": tensor(model(x[:4])),
    }


def main():
    torch.set_num_threads(1)
    write("training", {"cases": [small_case(*described) for described in SMALL]})
    write("training_article", article_case())


if __name__ == "__main__":
    main()
