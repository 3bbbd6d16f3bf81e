"""activations.json: each activation's value and gradient, by PyTorch in float64."""

import torch
import torch.nn.functional as F

from fixture_io import differentiate, exact, generator, normal, write

# name, attributes, function
ACTIVATIONS = [
    ("relu", {}, lambda x: F.relu(x)),
    ("leakyRelu", {"slope": 0.01}, lambda x: F.leaky_relu(x, 0.01)),
    ("leakyRelu", {"slope": 0.3}, lambda x: F.leaky_relu(x, 0.3)),
    ("elu", {"alpha": 1.0}, lambda x: F.elu(x, 1.0)),
    ("elu", {"alpha": 0.5}, lambda x: F.elu(x, 0.5)),
    ("gelu", {"approximate": "none"}, lambda x: F.gelu(x)),
    ("gelu", {"approximate": "tanh"}, lambda x: F.gelu(x, approximate="tanh")),
    ("silu", {}, lambda x: F.silu(x)),
    ("sigmoid", {}, lambda x: torch.sigmoid(x)),
    ("tanh", {}, lambda x: torch.tanh(x)),
    # PyTorch turns linear above its threshold; the threshold here is out of reach.
    ("softplus", {}, lambda x: F.softplus(x, threshold=700)),
]
# Applied along the last axis.
ROWWISE = [
    ("softmax", {}, lambda x: F.softmax(x, dim=-1)),
    ("logSoftmax", {}, lambda x: F.log_softmax(x, dim=-1)),
]


def elementwise_inputs():
    spread = exact(torch.linspace(-6.03, 6.01, 77, dtype=torch.float64)).reshape(7, 11)
    far = torch.tensor([-60.0, -30.5, -20.25, -9.0, 9.0, 20.25, 30.5, 60.0], dtype=torch.float64)
    near = torch.tensor([-(2.0**-8), 2.0**-8, -(2.0**-20), 2.0**-20], dtype=torch.float64)
    return {"spread": spread, "far": far, "near": near, "zero": torch.zeros(3, dtype=torch.float64)}


def rowwise_inputs():
    numbers = generator(11)
    return {
        "rows": normal(numbers, 5, 10, scale=3),
        "cube": normal(numbers, 2, 3, 7),
        "large": normal(numbers, 3, 10, scale=200, offset=1000),
        "equal": torch.full((2, 10), 3.5, dtype=torch.float64),
        "single": normal(numbers, 4, 1),
    }


def main():
    cases = []
    for activations, inputs in [(ACTIVATIONS, elementwise_inputs()), (ROWWISE, rowwise_inputs())]:
        for operation, attributes, function in activations:
            for label, x in inputs.items():
                case = {"operation": operation, "input": label, "attributes": attributes}
                cases.append(case | differentiate(function, {"x": x}))
    write("activations", {"cases": cases})


if __name__ == "__main__":
    main()
