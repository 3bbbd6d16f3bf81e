"""Runs ONNX's published node tests of normalizations through `evenkeel layer`.

    pip install onnx safetensors
    python Tests/Peers/onnx_node_tests.py [EVENKEEL]

The tests come with the onnx package and are not kept here. EVENKEEL is the command to test, by default
.build/release/evenkeel. Ends with 1 when a test fails or an operator has none.
"""

import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy
import onnx
from safetensors.numpy import load_file, save_file

# As ONNX's own runner compares.
RELATIVE, ABSOLUTE = 1e-3, 1e-7


def batch_normalization(attributes, values):
    x, *rest = values
    names = ("weight", "bias", "running_mean", "running_var")
    training = attributes.get("training_mode", 0)
    options = ["--axis", 1, "--mode", "training" if training else "inference"]
    # ONNX's momentum is the weight of the old average.
    weight = 1 - attributes.get("momentum", 0.9)
    options += ["--average", f"exponential={weight}", "--variance", "biased"]
    results = ["y"] + (["running_mean", "running_var"] if training else [])
    return "batch-norm", {"x": x} | dict(zip(names, rest)), options, results


def over_last_axes(kind):
    def arguments(attributes, values):
        x = values[0]
        first = attributes.get("axis", -1) % x.ndim
        axes = ",".join(str(axis) for axis in range(first, x.ndim))
        tensors = dict(zip(("x", "weight", "bias"), values))
        return kind, tensors, ["--axes", axes], ["y"]

    return arguments


def group_normalization(attributes, values):
    x, weight, bias = values
    if len(weight) != x.shape[1]:
        repeats = x.shape[1] // len(weight)
        weight, bias = weight.repeat(repeats), bias.repeat(repeats)
    tensors = {"x": x, "weight": weight, "bias": bias}
    return "group-norm", tensors, ["--axis", 1, "--groups", attributes["num_groups"]], ["y"]


def instance_normalization(attributes, values):
    return "instance-norm", dict(zip(("x", "weight", "bias"), values)), ["--axis", 1], ["y"]


def local_response_normalization(attributes, values):
    options = ["--axis", 1, "--size", attributes["size"]]
    for name, default in (("alpha", 1e-4), ("beta", 0.75)):
        options += [f"--{name}", attributes.get(name, default)]
    return "local-response-norm", {"x": values[0]}, options + ["--k", attributes.get("bias", 1)], ["y"]


def lp_normalization(attributes, values):
    options = ["--axis", attributes.get("axis", -1), "--p", attributes.get("p", 2), "--epsilon", 0]
    return "unit-norm", {"x": values[0]}, options, ["y"]


OPERATORS = {
    "BatchNormalization": batch_normalization,
    "LayerNormalization": over_last_axes("layer-norm"),
    "GroupNormalization": group_normalization,
    "InstanceNormalization": instance_normalization,
    "RMSNormalization": over_last_axes("rms-norm"),
    "LRN": local_response_normalization,
    "LpNormalization": lp_normalization,
}


def run(command, node, inputs, outputs, folder):
    """The largest excess over what ONNX allows, at most 0 when the test passes."""
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    given = [numpy.ascontiguousarray(value) for value in inputs]
    kind, tensors, options, results = OPERATORS[node.op_type](attributes, given)
    if "epsilon" in attributes:
        options += ["--epsilon", attributes["epsilon"]]
    save_file(tensors, folder / "in.safetensors")
    files = ["--input", folder / "in.safetensors", "--output", folder / "out.safetensors"]
    arguments = [command, "layer", kind, *files, *options]
    subprocess.run([str(argument) for argument in arguments], check=True)
    found = load_file(folder / "out.safetensors")
    return max(
        (abs(found[name] - expected) - ABSOLUTE - RELATIVE * abs(expected)).max(initial=0)
        for name, expected in zip(results, outputs)
    )


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    command = sys.argv[1] if len(sys.argv) > 1 else root / ".build" / "release" / "evenkeel"
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        cases = collect_testcases(None)
    counts = dict.fromkeys(OPERATORS, 0)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            nodes = case.model.graph.node
            # The other form of a test spells the operator out in simpler ones.
            if len(nodes) != 1 or nodes[0].op_type not in OPERATORS:
                continue
            counts[nodes[0].op_type] += 1
            for inputs, outputs in case.data_sets:
                excess = run(command, nodes[0], inputs, outputs, pathlib.Path(folder))
                if not excess <= 0:
                    failed += 1
                    print(f"FAILED {case.name}: {excess} more than allowed")
    for operator, count in counts.items():
        print(f"{operator}: {count} tests")
    print(f"{failed} failed" if failed else "all passed")
    return int(failed > 0 or 0 in counts.values())


if __name__ == "__main__":
    sys.exit(main())
