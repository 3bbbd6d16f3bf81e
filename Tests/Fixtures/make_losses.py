"""losses.json: each loss under each reduction, and its gradient, by PyTorch in float64."""

import torch
import torch.nn.functional as F

from fixture_io import differentiate, exact, generator, normal, tensors, write

REDUCTIONS = ("mean", "sum", "none")
# Our names of the attributes, and PyTorch's.
OPTION_NAMES = {"labelSmoothing": "label_smoothing", "delta": "delta"}


def case(operation, label, varied, target, loss, **attributes):
    """One loss under every reduction. `varied` and `target` are (name, value) of its two arguments;
    the target is data and has no gradient."""
    options = {OPTION_NAMES[name]: value for name, value in attributes.items()}
    for reduction in REDUCTIONS:
        parts = differentiate(
            lambda **leaf: loss(leaf[varied[0]], target[1], reduction=reduction, **options),
            dict([varied]),
        )
        parts["inputs"] |= tensors(dict([target]))
        yield {
            "operation": operation,
            "input": label,
            "attributes": attributes | {"reduction": reduction},
        } | parts


def cross_entropy_cases(numbers):
    inputs = {
        "rows": (normal(numbers, 6, 10, scale=2), torch.randint(0, 10, (6,), generator=numbers)),
        "large": (normal(numbers, 4, 5, scale=300), torch.tensor([0, 4, 2, 2])),
        "one": (normal(numbers, 1, 3), torch.tensor([1])),
    }
    for label, (logits, labels) in inputs.items():
        for smoothing in (0.0, 0.1):
            yield from case(
                "softmaxCrossEntropy",
                label,
                ("logits", logits),
                ("labels", labels),
                F.cross_entropy,
                labelSmoothing=smoothing,
            )


def elementwise_cases(numbers):
    prediction = ("prediction", normal(numbers, 5, 4, scale=2))
    target = ("target", normal(numbers, 5, 4, scale=2))
    logits, large = ("logits", prediction[1]), ("logits", prediction[1] * 64)
    uniform = torch.rand(5, 4, generator=numbers, dtype=torch.float64)
    probability = ("probability", exact(uniform * 0.98 + 0.01))
    binary = ("target", torch.randint(0, 2, (5, 4), generator=numbers).double())

    with_logits = F.binary_cross_entropy_with_logits
    yield from case("binaryCrossEntropyWithLogits", "rows", logits, binary, with_logits)
    yield from case("binaryCrossEntropyWithLogits", "large", large, binary, with_logits)
    yield from case("binaryCrossEntropy", "rows", probability, binary, F.binary_cross_entropy)
    yield from case("meanSquaredError", "rows", prediction, target, F.mse_loss)
    yield from case("meanAbsoluteError", "rows", prediction, target, F.l1_loss)
    for delta in (1.0, 0.5):
        yield from case("huber", "rows", prediction, target, F.huber_loss, delta=delta)


def main():
    numbers = generator(21)
    write("losses", {"cases": [*cross_entropy_cases(numbers), *elementwise_cases(numbers)]})


if __name__ == "__main__":
    main()
