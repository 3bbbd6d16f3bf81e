"""ResNet-20 without batch norms (folded into its convolutions) in ONNX Runtime.

`folded`      convolutions with biases, as EvenKeel runs it
`with-norms`  the batch norms are in the file; ONNX Runtime folds them itself
"""

import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from peers.clock import median_time

VARIANTS = ("folded", "with-norms")
BLOCK = 10  # images or batches between two looks at the clock


def prepare(variant, workload):
    batch = workload["batchSize"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = workload["threads"]
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    model = Network(norms=variant == "with-norms").model(batch)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    images = numpy.random.default_rng(0).random((batch, 1, 28, 28), dtype=numpy.float32)

    def once():
        start = time.perf_counter()
        for _ in range(BLOCK):
            session.run(None, {"x": images})
        return (time.perf_counter() - start) / BLOCK

    def measure(seconds=workload["seconds"]):
        return median_time(once, seconds)

    measure(workload["warmUpSeconds"])
    return measure


class Network:
    """The graph, written node by node: `3 n` blocks of 16, 32 and 64 channels, projections between."""

    def __init__(self, norms, blocks=3):
        self.norms, self.blocks = norms, blocks
        self.nodes, self.weights, self.random = [], [], numpy.random.default_rng(1)

    def model(self, batch):
        x, channels = self.convolution("x", 1, 16, 3, 1, relu=True), 16
        for stage, width in enumerate((16, 32, 64)):
            for block in range(self.blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                y = self.convolution(x, channels, width, 3, stride, relu=True)
                y = self.convolution(y, width, width, 3, 1)
                if channels != width:
                    x = self.convolution(x, channels, width, 1, stride)
                x, channels = self.node("Relu", self.node("Add", y, x)), width
        x = self.node("Flatten", self.node("GlobalAveragePool", x))
        weight, bias = self.constant((10, channels)), self.constant((10,))
        self.nodes.append(helper.make_node("Gemm", [x, weight, bias], ["y"], transB=1))
        graph = helper.make_graph(
            self.nodes,
            "resnet20",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 1, 28, 28])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 10])],
            self.weights,
        )
        opsets = [helper.make_opsetid("", 17)]
        return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def convolution(self, x, inputs, outputs, kernel, stride, relu=False):
        names = [x, self.constant((outputs, inputs, kernel, kernel))]
        if not self.norms:
            names.append(self.constant((outputs,)))
        pad = kernel // 2
        y = self.node("Conv", *names, pads=[pad] * 4, strides=[stride] * 2)
        if self.norms:
            mean, variance = self.constant((outputs,)), self.constant((outputs,), positive=True)
            gamma, beta = self.constant((outputs,)), self.constant((outputs,))
            y = self.node("BatchNormalization", y, gamma, beta, mean, variance)
        return self.node("Relu", y) if relu else y

    def node(self, kind, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, shape, positive=False):
        name = f"w{len(self.weights)}"
        scale = 0.1 if len(shape) == 1 else (2 / numpy.prod(shape[1:])) ** 0.5
        values = self.random.normal(0, scale, shape)
        if positive:
            values = 1 + values**2
        self.weights.append(numpy_helper.from_array(values.astype(numpy.float32), name))
        return name
