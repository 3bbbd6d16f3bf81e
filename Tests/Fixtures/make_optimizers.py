"""optimizers.json: parameters after each of ten steps; gradient clipping. By PyTorch in float64."""

import torch

from fixture_io import generator, normal, tensor, write

STEPS = 10
OPTIMIZERS = [
    ("sgd", torch.optim.SGD, {"lr": 0.1}),
    ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("sgd", torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.02}),
    ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.02}),
    ("adam", torch.optim.Adam, {"lr": 0.01}),
    ("adam", torch.optim.Adam, {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("adam", torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    ("adamW", torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.01}),
    ("adamW", torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.3, "betas": (0.8, 0.95)}),
    ("rmsProp", torch.optim.RMSprop, {"lr": 0.01}),
    ("rmsProp", torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "eps": 1e-3}),
    ("rmsProp", torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.9}),
    ("rmsProp", torch.optim.RMSprop, {"lr": 0.01, "centered": True, "weight_decay": 0.1}),
]


def optimizer_case(name, optimizer_type, options):
    numbers = generator(41)
    parameter = torch.nn.Parameter(normal(numbers, 5))
    initial = tensor(parameter)
    gradients = normal(numbers, STEPS, 5)
    gradients[3] = 0.0  # a step without a gradient still moves momentum and decay
    optimizer = optimizer_type([parameter], **options)
    after = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
        after.append(parameter.detach().clone())
    return {
        "optimizer": name,
        "options": {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in options.items()
        },
        "initial": initial,
        "gradients": tensor(gradients),
        "after": tensor(torch.stack(after)),
    }


def clipping_case(kind, limit):
    numbers = generator(42)
    parameters = [torch.nn.Parameter(normal(numbers, *shape)) for shape in [(3, 2), (4,)]]
    gradients = [normal(numbers, *parameter.shape, scale=2) for parameter in parameters]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient.clone()
    if kind == "norm":
        norm = torch.nn.utils.clip_grad_norm_(parameters, limit).item()
    else:
        torch.nn.utils.clip_grad_value_(parameters, limit)
        norm = None
    return {
        "kind": kind,
        "limit": limit,
        "totalNorm": norm,
        "gradients": [tensor(gradient) for gradient in gradients],
        "clipped": [tensor(parameter.grad) for parameter in parameters],
    }


def main():
    write(
        "optimizers",
        {
            "optimizers": [optimizer_case(*described) for described in OPTIMIZERS],
            "clipping": [
                clipping_case(kind, limit)
                for kind, limit in [("norm", 1.0), ("norm", 100.0), ("value", 0.5)]
            ],
        },
    )


if __name__ == "__main__":
    main()
