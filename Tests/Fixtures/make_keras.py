"""keras.json: Keras' batch normalization, whose momentum and variance differ from PyTorch's.

Its momentum weighs the OLD average, its running variance is the biased one, its epsilon 1e-3.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

from fixture_io import generator, tensor, tensors, write
from make_normalization import per_channel


def array(value):
    return keras.ops.convert_to_numpy(value)


def running_case(shape, axis, momentum):
    numbers = generator(51)
    layer = keras.layers.BatchNormalization(axis=axis, momentum=momentum, dtype="float64")
    layer.build((None, *shape[1:]))
    batches, outputs, states = [], [], []
    for _ in range(4):
        x = per_channel(numbers, shape, axis, 0.0)
        outputs.append(tensor(array(layer(x, training=True))))
        batches.append(tensor(x))
        states.append(
            tensors({"mean": array(layer.moving_mean), "variance": array(layer.moving_variance)})
        )
    probe = per_channel(numbers, shape, axis, 1.0)
    return {
        "axis": axis,
        "momentum": momentum,
        "epsilon": layer.epsilon,
        "variance": "biased",
        "batches": batches,
        "outputs": outputs,
        "states": states,
        "inference": {"x": tensor(probe), "output": tensor(array(layer(probe, training=False)))},
    }


def main():
    keras.config.set_floatx("float64")
    described = [
        ((8, 3), -1, 0.99),
        ((8, 3), -1, 0.9),
        ((2, 4, 3, 5), -1, 0.99),
        ((2, 4, 3, 5), 1, 0.5),
    ]
    with torch.no_grad():
        cases = [running_case(*parts) for parts in described]
    write("keras", {"cases": cases})


if __name__ == "__main__":
    main()
