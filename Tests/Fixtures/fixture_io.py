"""Writing fixtures: tensors as {"shape", "values"} in JSON, with every float64 digit."""

import json
import pathlib

import numpy
import torch

DATA = pathlib.Path(__file__).parent / "data"


def tensor(value):
    """The JSON form of a tensor, array or number: row-major values and a shape."""
    array = value.detach().numpy() if isinstance(value, torch.Tensor) else numpy.asarray(value)
    if array.dtype.kind == "f" and not numpy.isfinite(array).all():
        raise ValueError("a fixture holds only finite numbers: JSON has no others")
    return {"shape": list(array.shape), "values": array.reshape(-1).tolist()}


def tensors(named):
    return {name: tensor(value) for name, value in named.items()}


def exact(array):
    """Rounds to multiples of 1/256, so that float32 holds the very same inputs as float64."""
    return torch.round(array * 256) / 256


def normal(generator, *shape, scale=1.0, offset=0.0):
    """Normal numbers in float64 that are exact in float32."""
    return exact(torch.randn(shape, generator=generator, dtype=torch.float64) * scale + offset)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def differentiate(function, inputs, seed=1):
    """Runs `function` on named inputs, then backward from a random upstream gradient.

    Returns the parts of a case: inputs, output, upstream and the gradients of floating-point inputs.
    """
    leaves = {
        name: value.clone().requires_grad_() if value.is_floating_point() else value
        for name, value in inputs.items()
    }
    output = function(**leaves)
    upstream = normal(generator(seed), *output.shape)
    floating = [name for name, value in leaves.items() if value.is_floating_point()]
    gradients = torch.autograd.grad(output, [leaves[name] for name in floating], upstream)
    return {
        "inputs": tensors(inputs),
        "output": tensor(output),
        "upstream": tensor(upstream),
        "gradients": tensors(dict(zip(floating, gradients))),
    }


def write(name, content):
    """Writes data/NAME.json: one case a line, so that a difference is readable."""
    lines = []
    for key, value in content.items():
        if isinstance(value, list):
            body = ",\n".join(json.dumps(item, allow_nan=False) for item in value)
            lines.append(f"{json.dumps(key)}: [\n{body}\n]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}")
    DATA.mkdir(exist_ok=True)
    path = DATA / f"{name}.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path.name}: {path.stat().st_size} bytes")
