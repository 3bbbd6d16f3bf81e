"""batch_norm.json: batch normalization over batches of unequal size, by PyTorch, Keras and Flax.

Ranks 2 to 5, any channel axis, odd sizes, masks, both running variances, and every kind of average. What
PyTorch, Keras and Flax have is theirs; averages that none of them has are made here by their definition,
from PyTorch's batch moments. Masks and Flax's layout are taken with the channels last.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"
os.environ["JAX_ENABLE_X64"] = "1"

import flax.linen
import jax
import keras
import numpy
import torch

from fixture_io import generator, normal, tensor, tensors, write
from make_normalization import per_channel

SAMPLES = (5, 3, 2)


def inputs(seed, shape, axis, masked):
    """Batches with masks, gamma, beta and the gradient that comes back from the last batch."""
    numbers = generator(seed)
    channels = shape[axis]
    batches = [per_channel(numbers, (count, *shape[1:]), axis, 2.0) for count in SAMPLES]
    masks = [None] * len(batches)
    if masked:
        extents = [x.movedim(axis, -1).shape[:-1] for x in batches]
        masks = [(torch.rand(extent, generator=numbers) < 0.7).double() for extent in extents]
        for mask in masks:
            mask.reshape(-1)[:2] = 1
    gamma = normal(numbers, channels, scale=0.5, offset=1)
    beta = normal(numbers, channels)
    return batches, masks, gamma, beta, normal(numbers, *batches[-1].shape)


def case(framework, shape, axis, average, variance, epsilon, masked, run, seed=61):
    batches, masks, gamma, beta, upstream = inputs(seed, shape, axis, masked)
    outputs, states, gradients = run(batches, masks, gamma, beta, upstream)
    steps = [
        {"x": tensor(x), "output": tensor(y), "mean": tensor(state[0]), "variance": tensor(state[1])}
        | ({} if mask is None else {"mask": tensor(mask)})
        for x, mask, y, state in zip(batches, masks, outputs, states)
    ]
    return {
        "framework": framework,
        "axis": axis,
        "epsilon": epsilon,
        "variance": variance,
        "average": average,
        "gamma": tensor(gamma),
        "beta": tensor(beta),
        "steps": steps,
        "upstream": tensor(upstream),
        "gradients": tensors(dict(zip(("x", "gamma", "beta"), gradients))),
    }


def torch_case(shape, axis, momentum, update=None, average=None, variance="unbiased"):
    """With `update`, running statistics are made by it from the moments of the batches so far."""
    epsilon = 1e-5

    def run(batches, masks, gamma, beta, upstream):
        layer = torch.nn.BatchNorm1d(len(gamma), eps=epsilon, momentum=momentum).double()
        layer.weight.data, layer.bias.data = gamma.clone(), beta.clone()
        outputs, states, moments = [], [], []
        for x in batches:
            x = x.clone().requires_grad_()
            moved = x.movedim(axis, 1).reshape(x.shape[0], len(gamma), -1)
            kept = x.movedim(axis, 1).shape
            y = layer(moved).reshape(kept).movedim(1, axis)
            outputs.append(y)
            rows = moved.detach().movedim(1, 2).reshape(-1, len(gamma))
            unbiased = variance == "unbiased"
            moments.append((len(rows), rows.mean(0), rows.var(0, correction=int(unbiased))))
            state = (layer.running_mean.clone(), layer.running_var.clone())
            states.append(state if update is None else update(moments))
        return outputs, states, torch.autograd.grad(y, [x, layer.weight, layer.bias], upstream)

    if average is None:
        average = (
            {"kind": "cumulative"}
            if momentum is None
            else {"kind": "exponential", "weight": momentum}
        )
    return case("torch", shape, axis, average, variance, epsilon, False, run)


def keras_case(shape, axis, momentum, masked):
    epsilon = 1e-3

    def run(batches, masks, gamma, beta, upstream):
        layer = keras.layers.BatchNormalization(
            axis=axis, momentum=momentum, epsilon=epsilon, dtype="float64"
        )
        layer.build((None, *shape[1:]))
        layer.gamma.assign(gamma)
        layer.beta.assign(beta)
        outputs, states = [], []
        for x, mask in zip(batches, masks):
            x = x.clone().requires_grad_()
            y = layer(x, training=True, mask=mask)
            outputs.append(y)
            values = (layer.moving_mean, layer.moving_variance)
            states.append([numpy.array(keras.ops.convert_to_numpy(value)) for value in values])
        learned = [x, layer.gamma.value, layer.beta.value]
        return outputs, states, torch.autograd.grad(y, learned, upstream)

    average = {"kind": "exponential", "weight": 1 - momentum}
    return case("keras", shape, axis, average, "biased", epsilon, masked, run)


def flax_case(shape, axis, momentum, masked):
    epsilon = 1e-5

    def run(batches, masks, gamma, beta, upstream):
        layer = flax.linen.BatchNorm(
            use_running_average=False,
            axis=axis,
            momentum=momentum,
            epsilon=epsilon,
            dtype=numpy.float64,
            param_dtype=numpy.float64,
            use_fast_variance=False,
        )
        channels = len(gamma)
        parameters = {"scale": gamma.numpy(), "bias": beta.numpy()}
        kept = {"mean": numpy.zeros(channels), "var": numpy.ones(channels)}
        outputs, states = [], []
        for x, mask in zip(batches, masks):
            wide = None if mask is None else numpy.expand_dims(mask.numpy() != 0, axis)

            def function(x, parameters):
                variables = {"params": parameters, "batch_stats": kept}
                return layer.apply(variables, x, mask=wide, mutable=["batch_stats"])

            y, backward, changed = jax.vjp(function, x.numpy(), parameters, has_aux=True)
            kept = changed["batch_stats"]
            outputs.append(numpy.array(y))
            states.append([numpy.array(kept["mean"]), numpy.array(kept["var"])])
        dx, learned = backward(upstream.numpy())
        return outputs, states, [numpy.array(g) for g in (dx, learned["scale"], learned["bias"])]

    average = {"kind": "exponential", "weight": 1 - momentum}
    return case("flax", shape, axis, average, "biased", epsilon, masked, run)


def weighted(moments, weights, initial=0.0):
    """Means of batch means and variances; `initial` is the weight that 0 and 1 keep."""
    total = sum(weights) + initial
    return [
        (sum(w * m[index] for w, m in zip(weights, moments)) + initial * start) / total
        for index, start in ((1, 0.0), (2, 1.0))
    ]


def average_cases():
    """Averages by their definition: the weights of all batches so far, oldest first."""

    def decayed(moments, weight, counted):
        last = len(moments) - 1
        return [
            (moment[0] if counted else 1) * (1 - weight) ** (last - index)
            for index, moment in enumerate(moments)
        ]

    def kept(moments, weight):
        """What an initial value weighs that counts like batches of the first one's size for ever."""
        return moments[0][0] / weight * (1 - weight) ** len(moments)

    window = lambda moments: weighted(moments[-2:], [1] * len(moments[-2:]))
    counted_window = lambda moments: weighted(moments[-2:], [m[0] for m in moments[-2:]])
    debiased = lambda moments: weighted(moments, decayed(moments, 0.25, False))
    counted = lambda moments: weighted(
        moments, decayed(moments, 0.25, True), initial=kept(moments, 0.25)
    )
    counted_debiased = lambda moments: weighted(moments, decayed(moments, 0.25, True))
    everything = lambda moments: weighted(moments, [m[0] for m in moments])
    for update, average in [
        (window, {"kind": "sliding", "window": 2}),
        (counted_window, {"kind": "sliding", "window": 2, "counted": True}),
        (debiased, {"kind": "exponential", "weight": 0.25, "debiased": True}),
        (counted, {"kind": "exponential", "weight": 0.25, "counted": True}),
        (counted_debiased, {"kind": "exponential", "weight": 0.25, "debiased": True, "counted": True}),
        (everything, {"kind": "cumulative", "counted": True}),
    ]:
        for variance in ("unbiased", "biased"):
            yield torch_case((5, 3), -1, 0.1, update, average, variance)


def main():
    keras.config.set_floatx("float64")
    cases = []
    for shape, axis in [
        ((5, 3), 1),
        ((5, 3, 7), 1),
        ((5, 7, 3), 2),
        ((5, 3, 2, 5), 1),
        ((5, 2, 3, 3), -2),
        ((5, 2, 3, 1, 3), 2),
        ((5, 3, 2, 1, 3), -4),
        ((5, 1, 3, 2, 3), 4),
    ]:
        cases.append(torch_case(shape, axis, 0.1))
        cases.append(torch_case(shape, axis, None))
    for shape, axis in [((5, 3), -1), ((5, 7, 3), -1), ((5, 3, 3, 2), 1)]:
        cases.append(keras_case(shape, axis, 0.9, False))
    for shape in [(5, 7, 3), (5, 3, 2, 3)]:
        cases.append(keras_case(shape, -1, 0.99, True))
    for shape, axis in [((5, 3), -1), ((5, 3, 4), 1), ((5, 2, 3, 2, 3), -1)]:
        cases.append(flax_case(shape, axis, 0.9, False))
    for shape, axis in [
        ((5, 7, 3), -1),
        ((5, 3, 2, 3), -1),
        ((5, 2, 1, 3, 3), -1),
        ((5, 3, 7), 1),
        ((5, 3, 2, 5), 1),
        ((5, 2, 3, 3), -2),
        ((5, 3, 2, 1, 3), 1),
        ((5, 2, 3, 1, 3), 2),
    ]:
        cases.append(flax_case(shape, axis, 0.9, True))
    cases += average_cases()
    write("batch_norm", {"cases": cases})


if __name__ == "__main__":
    main()
