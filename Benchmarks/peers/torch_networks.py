"""The networks of `evenkeel benchmark train --model NAME` in PyTorch, with batch norm or with biases."""

from torch import nn


def convolution(inputs, outputs, batch_norm, kernel=3, stride=1, groups=1):
    """A convolution that keeps the extents, and the batch norm behind it or a bias in its place."""
    layers = [
        nn.Conv2d(
            inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=not batch_norm
        )
    ]
    return layers + ([nn.BatchNorm2d(outputs)] if batch_norm else [])


class BasicBlock(nn.Module):
    def __init__(self, inputs, width, stride, batch_norm):
        super().__init__()
        self.branch = nn.Sequential(
            *convolution(inputs, width, batch_norm, stride=stride),
            nn.ReLU(inplace=True),
            *convolution(width, width, batch_norm),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != width:
            self.shortcut = nn.Sequential(
                *convolution(inputs, width, batch_norm, kernel=1, stride=stride)
            )

    def forward(self, x):
        return nn.functional.relu(self.branch(x) + self.shortcut(x), inplace=True)


def resnet(channels, classes, batch_norm, depths, width):
    """He et al. 2016, with the stem for small images and projections where extents change."""
    layers = [*convolution(channels, width, batch_norm), nn.ReLU(inplace=True)]
    inputs = width
    for stage, depth in enumerate(depths):
        for index in range(depth):
            stride = 2 if stage > 0 and index == 0 else 1
            layers.append(BasicBlock(inputs, width << stage, stride, batch_norm))
            inputs = width << stage
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)
    )


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion, batch_norm):
        super().__init__()
        hidden = inputs * expansion
        layers = []
        if expansion != 1:
            layers += [*convolution(inputs, hidden, batch_norm, kernel=1), nn.ReLU6(inplace=True)]
        layers += convolution(hidden, hidden, batch_norm, stride=stride, groups=hidden)
        layers += [nn.ReLU6(inplace=True), *convolution(hidden, outputs, batch_norm, kernel=1)]
        self.branch = nn.Sequential(*layers)
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.branch(x) if self.has_shortcut else self.branch(x)


def mobilenetv2(channels, classes, batch_norm):
    """Sandler et al. 2018 for small images: the first two halvings are left out."""
    stages = [
        *((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    ]
    layers, inputs = [*convolution(channels, 32, batch_norm), nn.ReLU6(inplace=True)], 32
    for expansion, outputs, count, first in stages:
        for index in range(count):
            stride = first if index == 0 else 1
            layers.append(InvertedResidual(inputs, outputs, stride, expansion, batch_norm))
            inputs = outputs
    layers += [*convolution(inputs, 1280, batch_norm, kernel=1), nn.ReLU6(inplace=True)]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, classes)
    )


NETWORKS = {
    "resnet20": lambda *arguments: resnet(*arguments, depths=(3, 3, 3), width=16),
    "resnet18": lambda *arguments: resnet(*arguments, depths=(2, 2, 2, 2), width=64),
    "mobilenetv2": mobilenetv2,
}
