"""Makes folders of runs as `evenkeel train` leaves them, with made-up numbers."""

import json
import math
import os
import random

NORMS = ["batch", "none", "layer", "instance", "rms"]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def lines(values):
    return "".join(json.dumps(value, separators=(",", ":")) + "\n" for value in values)


def loss_at(share, norm, noise):
    floor = {"batch": 0.28, "none": 0.52, "layer": 0.34, "instance": 0.32, "rms": 0.3}[norm]
    return floor + 2 * math.exp(-7 * share) + noise * 0.06 / (1 + share)


def make_run(folder, seed, steps=4690, looks=0, start=1_780_000_000):
    """One finished run."""
    chance = random.Random(seed)
    norm = NORMS[seed % len(NORMS)]
    write(f"{folder}/config.yaml",
          f"data: fashion-mnist\nmodel: mlp\nhidden: [128, 64]\nnorm: {norm}\nlearningRate: 0.001\n"
          f"batchSize: 128\nepochs: 10\nseed: {seed}\n")
    progress, metrics = [], []
    for step in range(0, steps + 1, 47):
        share = step / steps
        loss = loss_at(share, norm, chance.gauss(0, 1))
        progress.append({
            "step": step, "totalSteps": steps, "epoch": min(step * 10 // steps + 1, 10),
            "seconds": step / 300, "time": start + seed * 600 + step / 300, "loss": loss,
            "lowestLoss": loss - 0.1, "highestLoss": loss + 0.15,
            "learningRate": 0.0005 * (1 + math.cos(math.pi * share)),
            "samplesPerSecond": 38_000 + chance.gauss(0, 900)})
    progress[-1]["ending"] = "finished"
    for epoch in range(1, 11):
        loss = loss_at(epoch / 10, norm, chance.gauss(0, 0.3))
        metrics.append({
            "epoch": epoch, "step": steps * epoch // 10, "trainLoss": loss + 0.02,
            "testLoss": loss + 0.05, "testAccuracy": 0.97 - loss / 4, "samplesPerSecond": 38_000.0,
            "seconds": steps / 3000})
    write(f"{folder}/progress.jsonl", lines(progress))
    write(f"{folder}/metrics.jsonl", lines(metrics))
    if looks:
        write(f"{folder}/statistics.jsonl", lines(
            look(steps * index // looks, index / looks, chance) for index in range(looks)))
    os.utime(f"{folder}/metrics.jsonl", (start, start))


def look(step, share, chance):
    """A line of statistics.jsonl: layers that drift apart."""
    layers, parameters, norms = [], [], []
    for number, kind in enumerate(["Dense", "BatchNorm", "ReLU"] * 4 + ["Dense", "BatchNorm"]):
        width = 1 if kind == "BatchNorm" else 0.4 + number * 0.09 + share * 2 * (number % 5) / 4
        middle = 0 if kind == "BatchNorm" else chance.gauss(0, 0.02) + share * 0.3
        quantiles = [-3.1, -1.64, -1.04, -0.67, 0, 0.67, 1.04, 1.64, 3.2]
        values = [middle + width * (q + chance.gauss(0, 0.03)) for q in quantiles]
        if kind == "ReLU":
            values = [max(value, 0) for value in values]
        layers.append({"name": f"layers.{number}", "kind": kind, "percentiles": values,
                       "mean": middle, "deviation": width})
        if kind == "Dense":
            parameters.append({"name": f"layers.{number}.weight", "norm": 8 + share,
                               "gradientNorm": 10 ** (-1.5 + number / 8 - share)})
        if kind == "BatchNorm":
            norms.append({"name": f"layers.{number}", "meanGap": 0.02 + math.exp(-9 * share),
                          "varianceGap": 0.05, "runningMean": [0.1], "batchMean": [0.1],
                          "runningVariance": [1.0], "batchVariance": [1.0]})
    return {"step": step, "epoch": 1, "learningRate": 0.001, "loss": 1.0, "samplesPerSecond": 1000.0,
            "memoryBytes": 100_000_000, "layers": layers, "parameters": parameters, "norms": norms}


SPIKE = (777_777, 9.5)


def make_long_run(folder, steps=1_000_000):
    """A run that told of each of a million steps, one of them far out, and of 10 000 looks."""
    make_run(folder, 0)
    chance = random.Random(7)
    with open(f"{folder}/progress.jsonl", "w") as file:
        for step in range(1, steps + 1):
            loss = SPIKE[1] if step == SPIKE[0] else 0.3 + 2 / (1 + step / 20_000) + chance.random() * 0.2
            ending = ',"ending":"finished"' if step == steps else ""
            file.write(
                f'{{"step":{step},"totalSteps":{steps},"epoch":1,"seconds":{step / 250:.3f},'
                f'"time":1780900000.5,"loss":{loss:.6f},"learningRate":0.001{ending}}}\n')
    text = [json.dumps(look(0, index / 50, chance), separators=(",", ":")) for index in range(50)]
    with open(f"{folder}/statistics.jsonl", "w") as file:
        for index in range(10_000):
            file.write(text[index * 50 // 10_000].replace('"step":0', f'"step":{index * 100}', 1) + "\n")


def make_runs(folder, count=200):
    """So many runs, the long one among them."""
    for seed in range(count - 1):
        group = ["norms", "rates/quick", "depth"][seed % 3]
        make_run(f"{folder}/{group}/run-{seed:03}", seed, looks=60 if seed % 10 == 0 else 0)
    make_long_run(f"{folder}/long")
