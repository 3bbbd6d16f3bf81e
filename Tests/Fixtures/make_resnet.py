"""resnet.json: a narrow ResNet-20 trained for 20 steps, by PyTorch in float64.

Names of parameters and states are those that torchvision gives such blocks.
"""

import torch
from torch import nn

from fixture_io import exact, generator, normal, tensor, tensors, write

WIDTH, IMAGES, BATCH, STEPS, RATE, MOMENTUM = 4, 48, 16, 20, 0.05, 0.9


def convolution(inputs, outputs, kernel, stride):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = convolution(inputs, outputs, 3, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = convolution(outputs, outputs, 3, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        branch = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (branch + (x if self.downsample is None else self.downsample(x))).relu()


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = convolution(1, WIDTH, 3, 1)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        inputs = WIDTH
        for stage in range(3):
            outputs = WIDTH << stage
            blocks = [Block(inputs, outputs, 2 if stage else 1)]
            blocks += [Block(outputs, outputs, 1) for _ in range(2)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            inputs = outputs
        self.fc = nn.Linear(inputs, 5)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def main():
    torch.manual_seed(31)
    torch.set_default_dtype(torch.float64)
    model = ResNet20()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(exact(parameter))
    initial = tensors({name: value.clone() for name, value in model.named_parameters()})
    numbers = generator(32)
    labels = torch.randint(5, (IMAGES,), generator=numbers)
    # Each class has a pattern of its own, so that there is something to learn.
    patterns = normal(numbers, 5, 12, 12, 1)
    images = exact(patterns[labels] + normal(numbers, IMAGES, 12, 12, 1))

    optimizer = torch.optim.SGD(model.parameters(), RATE, MOMENTUM)
    losses = []
    for step in range(STEPS):
        rows = [(step * BATCH + row) % IMAGES for row in range(BATCH)]
        logits = model(images[rows].movedim(-1, 1))
        loss = nn.functional.cross_entropy(logits, labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    write("resnet", {"cases": [{
        "images": tensor(images), "labels": tensor(labels), "batch": BATCH, "rate": RATE,
        "momentum": MOMENTUM, "initial": initial, "losses": losses,
        "states": tensors({name: value for name, value in model.named_buffers()
                           if "running" in name}),
        "logits": tensor(model(images.movedim(-1, 1))),
    }]})


if __name__ == "__main__":
    main()
