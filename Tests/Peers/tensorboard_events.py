"""Reads the event files of a real training with TensorBoard's own package.

    pip install -r Tests/Peers/requirements.txt
    python Tests/Peers/tensorboard_events.py [EVENKEEL]

Trains on Fashion-MNIST, interrupted by a kill and resumed, and compares what TensorBoard reads with the
run's own files. EVENKEEL is the command to test, by default .build/release/evenkeel. Ends with 1 when
something differs.
"""

import io
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
from PIL import Image
from safetensors.numpy import load_file
from tensorboard import data_compat
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.util import tensor_util

EVERYTHING = {"scalars": 0, "histograms": 0, "images": 0, "tensors": 0}


def check(condition, text):
    if not condition:
        sys.exit(f"FAILED: {text}")
    print(f"ok: {text}")


def train(command, folder, *more):
    arguments = ["train", "--epochs", "3", "--hidden", "64", "--output", folder, "--tensorboard"]
    return subprocess.Popen([command, *arguments, *more], stdout=subprocess.DEVNULL)


def close(first, second):
    return math.isclose(first, second, rel_tol=1e-6)


def compare_scalars(board, folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    check(len(lines) == 3, "three epochs in metrics.jsonl")
    for tag, key in [
        ("loss/train", "trainLoss"), ("loss/test", "testLoss"), ("accuracy/test", "testAccuracy"),
        ("samples_per_second/epoch", "samplesPerSecond"),
    ]:
        found = [(event.step, event.value) for event in board.Scalars(tag)]
        wanted = [(line["step"], line[key]) for line in lines]
        check(
            len(found) == len(wanted)
            and all(a[0] == b[0] and close(a[1], b[1]) for a, b in zip(found, wanted)),
            f"{tag} is what metrics.jsonl says")
    statistics = [json.loads(line) for line in (folder / "statistics.jsonl").read_text().splitlines()]
    for index, parameter in enumerate(statistics[0]["parameters"]):
        found = {e.step: e.value for e in board.Scalars("gradient_norm/" + parameter["name"])}
        wanted = {line["step"]: line["parameters"][index]["gradientNorm"] for line in statistics}
        check(
            found.keys() == wanted.keys() and all(close(found[s], wanted[s]) for s in wanted),
            f"gradient norms of {parameter['name']} are what statistics.jsonl says")
    steps = [event.step for event in board.Scalars("loss/batch")]
    check(steps == sorted(set(steps)), "no batch shows twice after the resume")
    return lines, statistics


def compare_histograms(board, folder, statistics):
    for name, values in load_file(folder / "model.safetensors").items():
        tag = "parameters/" + name
        if tag not in board.Tags()["histograms"]:
            check("running" in name or "num_batches" in name, f"{name} is no parameter")
            continue
        last = board.Histograms(tag)[-1].histogram_value
        check(
            last.num == values.size == sum(last.bucket) and close(last.max, values.max())
            and close(last.min, values.min()) and len(last.bucket) <= 30, f"{tag} counts all elements")
        edges = numpy.array([last.min, *last.bucket_limit])
        counts, _ = numpy.histogram(values, edges) if values.min() < values.max() else ([values.size], 0)
        # numpy puts numbers on an edge into the bucket above; rounding may do the other.
        check(numpy.abs(numpy.array(last.bucket) - counts).sum() <= 4, f"{tag} as numpy counts it")
    for layer in statistics[-1]["layers"]:
        last = board.Histograms("outputs/" + layer["name"])[-1].histogram_value
        check(
            sum(last.bucket) == 100 and close(last.min, layer["percentiles"][0]),
            f"outputs of {layer['name']} are in percent")


def compare_images(board, lines):
    [samples] = board.Images("samples")
    grid = Image.open(io.BytesIO(samples.encoded_image_string))
    check((grid.width, grid.height) == (samples.width, samples.height) == (232, 116),
          "32 samples of 28 x 28 with lines between them")
    matrices = board.Images("confusion_matrix")
    check([image.step for image in matrices] == [line["step"] for line in lines],
          "a confusion matrix for each epoch")
    for image in matrices:
        picture = numpy.asarray(Image.open(io.BytesIO(image.encoded_image_string)))
        check(picture.shape == (image.height, image.width, 3), "its picture can be decoded")
    # The diagonal is dark: what is right is most.
    cell = (matrices[-1].width - 1) // 10
    corner = picture[1::cell, 1::cell, 0][:10, :10].astype(int)
    check(all(corner[i, i] == corner[i].min() for i in range(10)), "its diagonal is darkest")


def compare_raw(folder):
    """TensorBoard's newer form, which its pages are made of, comes out of every value."""
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for raw in RawEventFileLoader(str(path)).Load():
            for value in Event.FromString(raw).summary.value:
                tensor = tensor_util.make_ndarray(data_compat.migrate_value(value).tensor)
                if value.tag.startswith(("outputs/", "parameters/")):
                    assert (tensor[:, 1] >= tensor[:, 0]).all() and tensor[:, 2].sum() > 0, value.tag
    check(True, "every value has TensorBoard's newer form")


def main():
    command = sys.argv[1] if len(sys.argv) > 1 else ".build/release/evenkeel"
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "run"
        process = train(command, str(folder))
        metrics = folder / "metrics.jsonl"
        # Killed some time after the first epoch, so that there is something to do again.
        while process.poll() is None and not metrics.exists():
            time.sleep(0.01)
        time.sleep(0.3)
        process.kill()
        process.wait()
        check(train(command, str(folder), "--resume").wait() == 0, "the run is resumed and ends")
        files = list(folder.glob("events.out.tfevents.*"))
        check(len(files) == 2, "a file for each session")
        board = EventAccumulator(str(folder), size_guidance=EVERYTHING)
        board.Reload()
        lines, statistics = compare_scalars(board, folder)
        compare_histograms(board, folder, statistics)
        compare_images(board, lines)
        compare_raw(folder)


main()
