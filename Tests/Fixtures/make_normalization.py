"""normalization.json: layer and batch norm, values, gradients and running statistics, in float64.

Batch norm's second derivatives come from the formula written in elementary operations, so that no
hand-written derivative of PyTorch's is trusted.
"""

import torch
import torch.nn.functional as F

from fixture_io import differentiate, exact, generator, normal, tensor, tensors, write


def layer_norm_cases():
    numbers = generator(31)
    for shape, axes in [((4, 6), 1), ((2, 3, 5), 1), ((2, 3, 5), 2), ((1, 8), 1), ((3, 1), 1)]:
        normalized = shape[len(shape) - axes :]
        for affine in (True, False):
            for offset in (0.0, 1000.0):
                inputs = {"x": normal(numbers, *shape, scale=2, offset=offset)}
                if affine:
                    inputs["gamma"] = normal(numbers, *normalized, scale=0.5, offset=1)
                    inputs["beta"] = normal(numbers, *normalized)

                def function(x, gamma=None, beta=None, normalized=normalized):
                    return F.layer_norm(x, normalized, gamma, beta, eps=1e-5)

                attributes = {"normalizedAxes": axes, "epsilon": 1e-5, "affine": affine}
                yield {"operation": "layerNorm", "attributes": attributes} | differentiate(
                    function, inputs
                )


def per_channel(numbers, shape, axis, offset):
    """A batch whose channels all differ in mean and scale."""
    channels = shape[axis]
    view = [channels if index == axis % len(shape) else 1 for index in range(len(shape))]
    scale = torch.linspace(0.5, 3, channels, dtype=torch.float64).reshape(view)
    shift = torch.linspace(-4, 7, channels, dtype=torch.float64).reshape(view) + offset
    return exact(normal(numbers, *shape) * scale + shift)


def batch_norm(x, axis, mean, variance, gamma, beta, epsilon, **options):
    """PyTorch's batch norm on any channel axis."""
    moved = x.movedim(axis, 1) if x.dim() > 1 else x
    return F.batch_norm(moved, mean, variance, gamma, beta, eps=epsilon, **options).movedim(1, axis)


def batch_norm_cases():
    numbers = generator(32)
    layouts = [((8, 3), -1), ((2, 5), -1), ((4, 3, 5), 1), ((2, 5, 4, 3), -1), ((2, 3, 4, 5), 1)]
    for shape, axis in layouts:
        for affine in (True, False):
            for offset in (0.0, 4096.0):
                for training in (True, False):
                    yield batch_norm_case(numbers, shape, axis, affine, offset, training)


def batch_norm_case(numbers, shape, axis, affine, offset, training):
    channels, epsilon, momentum = shape[axis], 1e-5, 0.1
    inputs = {"x": per_channel(numbers, shape, axis, offset)}
    if affine:
        inputs["gamma"] = normal(numbers, channels, scale=0.5, offset=1)
        inputs["beta"] = normal(numbers, channels)
    mean = normal(numbers, channels, offset=offset)
    variance = normal(numbers, channels).abs() + 0.5
    after_mean, after_variance = mean.clone(), variance.clone()

    def function(x, gamma=None, beta=None):
        return batch_norm(
            x,
            axis,
            after_mean,
            after_variance,
            gamma,
            beta,
            epsilon,
            training=training,
            momentum=momentum,
        )

    parts = differentiate(function, inputs)
    return {
        "operation": "batchNorm",
        "attributes": {
            "axis": axis,
            "epsilon": epsilon,
            "momentum": momentum,
            "training": training,
            "affine": affine,
        },
        "running": tensors({"mean": mean, "variance": variance}),
        "runningAfter": tensors({"mean": after_mean, "variance": after_variance}),
    } | parts


def running_cases():
    """Running statistics after each of several batches, for every kind of average PyTorch has."""
    for label, momentum in [("exponential", 0.1), ("exponential", 0.35), ("cumulative", None)]:
        numbers = generator(33)
        layer = torch.nn.BatchNorm1d(4, momentum=momentum, dtype=torch.float64)
        batches, states = [], []
        for size in (8, 8, 5, 2):
            x = per_channel(numbers, (size, 4), -1, 0.0)
            layer(x)
            batches.append(tensor(x))
            states.append(tensors({"mean": layer.running_mean, "variance": layer.running_var}))
        yield {
            "average": label,
            "momentum": momentum,
            "variance": "unbiased",
            "batches": batches,
            "states": states,
        }


def second_derivative_cases():
    numbers = generator(34)
    for shape, axis in [((6, 3), -1), ((2, 2, 3, 2), 1)]:
        channels, epsilon = shape[axis], 1e-3
        axes = [index for index in range(len(shape)) if index != axis % len(shape)]
        view = [channels if index == axis % len(shape) else 1 for index in range(len(shape))]
        x = per_channel(numbers, shape, axis, 0.0).requires_grad_()
        gamma = normal(numbers, channels, scale=0.5, offset=1).requires_grad_()
        beta = normal(numbers, channels).requires_grad_()
        upstream = normal(numbers, *shape).requires_grad_()
        centred = x - x.mean(axes, keepdim=True)
        variance = (centred * centred).mean(axes, keepdim=True)
        y = centred / torch.sqrt(variance + epsilon) * gamma.reshape(view) + beta.reshape(view)
        first = torch.autograd.grad(y, [x, gamma, beta], upstream, create_graph=True)
        directions = [normal(numbers, *value.shape) for value in first]
        # The derivative of <first, directions> with respect to everything that `first` depends on.
        scalar = sum((value * direction).sum() for value, direction in zip(first, directions))
        second = torch.autograd.grad(scalar, [x, gamma, upstream])
        names = ["x", "gamma", "beta"]
        yield {
            "attributes": {"axis": axis, "epsilon": epsilon},
            "inputs": tensors({"x": x, "gamma": gamma, "beta": beta}),
            "output": tensor(y),
            "upstream": tensor(upstream),
            "gradients": tensors(dict(zip(names, first))),
            "directions": tensors(dict(zip(names, directions))),
            "secondGradients": tensors(dict(zip(["x", "gamma", "upstream"], second))),
        }


def main():
    write(
        "normalization",
        {
            "layerNorm": list(layer_norm_cases()),
            "batchNorm": list(batch_norm_cases()),
            "runningStatistics": list(running_cases()),
            "secondDerivatives": list(second_derivative_cases()),
        },
    )


if __name__ == "__main__":
    main()
