"""Exchanges trained weights with PyTorch, both ways: the same images get the same logits.

    scripts/bench-env fixtures
    .venv/bin/python Tests/Peers/pytorch_models.py [EVENKEEL]

ResNet-20 with torchvision's names, and a plain convolutional network, whose dense layer takes a flattened image.
What `evenkeel export` writes of a run is loaded into PyTorch (strictly: no name may be missing or too many), and a
state_dict of PyTorch's becomes a run with `evenkeel import`. EVENKEEL is the command to test, by default
.build/release/evenkeel. Ends with 1 when logits differ by more than 1e-4.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import nn

TOLERANCE = 1e-4  # of logits, after the largest of an image is brought to 0
IMAGES = 64


class Block(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet20(nn.Module):
    """He et al. 2016, for small images of one channel."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def convolution(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def cnn():
    """EvenKeel's `cnn`, for images of 28 x 28 pixels and one channel."""
    return nn.Sequential(
        *convolution(1, 32), *convolution(32, 32), nn.MaxPool2d(2),
        *convolution(32, 64), *convolution(64, 64), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(),
        nn.Dropout(0.25), nn.Linear(128, 10))


def evenkeel(*arguments):
    result = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"evenkeel {arguments[0]}: {result.stderr.strip()}")
    return result.stdout


def of_pytorch(model, images):
    with torch.no_grad():
        logits = model.eval()(torch.from_numpy(images).movedim(-1, 1) / 255)
    return logits.double().numpy()


def of_evenkeel(run, images, folder):
    """Logits up to a number for each image: the logarithms of the probabilities."""
    numpy.save(folder / "images.npy", images)
    lines = evenkeel("predict", run, "--input", folder / "images.npy").splitlines()
    return numpy.log([[float(value) for value in line.split(",")] for line in lines[1:]])


def compare(what, ours, theirs):
    ours, theirs = (logits - logits.max(1, keepdims=True) for logits in (ours, theirs))
    difference = float(numpy.abs(ours - theirs).max())
    print(f"{what}: logits differ by {difference:.1e} at most, of {-theirs.min():.1f}")
    return difference <= TOLERANCE


def exchange(name, make, images, folder):
    """Whether a network of this name gives the same logits on both sides, in both directions."""
    options = ("--model", name, "--data", "fashion-mnist")
    evenkeel("train", *options, "--steps", 20, "--output", folder / "ours")
    evenkeel("export", folder / "ours", "--output", folder / "ours.safetensors")
    model = make()
    model.load_state_dict(load_file(folder / "ours.safetensors"), strict=True)
    there = compare(
        f"{name}, EvenKeel's weights in PyTorch", of_evenkeel(folder / "ours", images, folder),
        of_pytorch(model, images.astype(numpy.float32)))

    model = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(20):
        batch, labels = torch.rand(32, 1, 28, 28), torch.randint(0, 10, (32,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model.train()(batch), labels).backward()
        optimizer.step()
    save_file(model.state_dict(), folder / "state.safetensors")
    evenkeel("import", folder / "state.safetensors", *options, "--output", folder / "theirs")
    back = compare(
        f"{name}, PyTorch's weights in EvenKeel", of_evenkeel(folder / "theirs", images, folder),
        of_pytorch(model, images.astype(numpy.float32)))
    return there and back


def main():
    torch.manual_seed(1)
    images = numpy.random.default_rng(1).integers(0, 256, (IMAGES, 28, 28, 1)).astype(numpy.uint8)
    results = []
    for name, make in (("resnet20", ResNet20), ("cnn", cnn)):
        with tempfile.TemporaryDirectory() as folder:
            results.append(exchange(name, make, images, pathlib.Path(folder)))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    COMMAND = sys.argv[1] if len(sys.argv) > 1 else ".build/release/evenkeel"
    main()
