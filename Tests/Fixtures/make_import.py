"""import/: a small network's state_dict, as PyTorch saves it; import.json has its images and logits.

The network is wrapped, so that every name begins with `module.`, its block has names of its own
(`body`, `side`), and a dense layer takes a flattened image.
"""

import torch
from safetensors.torch import save_file
from torch import nn

from fixture_io import DATA, exact, generator, normal, tensor, write

FOLDER = DATA / "import"


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=2), nn.BatchNorm2d(4))
        self.side = nn.Sequential(nn.Conv2d(4, 4, 1, stride=2))

    def forward(self, x):
        return self.body(x) + self.side(x)


def network():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        Block(),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 3 * 4, 5),
        nn.BatchNorm1d(5),
    )


def main():
    random = generator(11)
    model = network().double()
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("running_var"):
                value.copy_(1 + normal(random, *value.shape, scale=0.5) ** 2)
            elif value.is_floating_point():
                value.copy_(normal(random, *value.shape, scale=0.5))
            value.copy_(exact(value) if value.is_floating_point() else torch.tensor(9))
        images = normal(random, 4, 3, 6, 8)
        logits = model.eval()(images)
    FOLDER.mkdir(exist_ok=True)
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    for name, value in state.items():
        if value.is_floating_point():
            # One tensor in another type, as mixed checkpoints have them.
            state[name] = value.double() if name.endswith("6.bias") else value.float()
    save_file({name: value.contiguous() for name, value in state.items()}, FOLDER / "state.safetensors")
    write(
        "import",
        {"images": tensor(images.permute(0, 2, 3, 1).contiguous()), "logits": tensor(logits)},
    )


if __name__ == "__main__":
    main()
