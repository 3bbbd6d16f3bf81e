"""images.json: convolutions, poolings, paddings and interpolations, by PyTorch in float64.

PyTorch's images have channels first; the files hold them with channels last. Options are lists of
numbers, one for each spatial axis.
"""

import torch
import torch.nn.functional as F

from fixture_io import differentiate, generator, normal, write

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d}
# Image, weight, strides, paddings, dilations, groups.
CONVOLUTIONS = [
    ((2, 9, 3), (4, 3, 3), [2], [1], [1], 1),
    ((2, 6, 7, 3), (4, 3, 3, 3), [1, 1], [1, 1], [1, 1], 1),
    ((2, 8, 7, 4), (6, 2, 3, 2), [2, 1], [1, 0], [1, 2], 2),
    ((2, 7, 7, 3), (6, 1, 3, 3), [2, 2], [1, 1], [1, 1], 3),
    ((2, 4, 5, 4, 2), (3, 2, 2, 3, 2), [1, 2, 1], [0, 1, 1], [1, 1, 2], 1),
]
# Image, weight, strides, paddings, output paddings, dilations, groups.
TRANSPOSED = [
    ((2, 5, 3), (3, 2, 4), [2], [1], [1], [1], 1),
    ((2, 4, 3, 4), (4, 3, 3, 3), [2, 1], [1, 0], [1, 0], [1, 2], 2),
]
# Image, window, strides, paddings, whether rounded up.
POOLINGS = [
    ((2, 9, 3), [3], [2], [1], False),
    ((2, 7, 8, 3), [2, 2], [2, 2], [0, 0], False),
    ((2, 7, 8, 3), [3, 2], [2, 3], [1, 1], True),
    ((1, 5, 6, 4, 2), [2, 3, 2], [2, 2, 1], [1, 0, 1], True),
]
RESIZINGS = [((2, 3, 4, 2), [6, 8]), ((2, 5, 4, 2), [3, 7])]


def first(x):
    """Channels in front of the spatial axes."""
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def cases():
    numbers = generator(21)

    def case(operation, options, function, **shapes):
        inputs = {name: normal(numbers, *shape) for name, shape in shapes.items()}
        header = {"operation": operation, "options": options}
        return header | differentiate(lambda **x: last(function(**x)), inputs)

    for image, weight, strides, paddings, dilations, groups in CONVOLUTIONS:
        options = {"strides": strides, "paddings": paddings, "dilations": dilations,
                   "groups": [groups]}
        yield case("convolution", options, lambda x, weight: CONVOLVE[x.dim() - 2](
            first(x), weight, None, strides, paddings, dilations, groups), x=image, weight=weight)
    for image, weight, strides, paddings, outputs, dilations, groups in TRANSPOSED:
        options = {"strides": strides, "paddings": paddings, "outputPaddings": outputs,
                   "dilations": dilations, "groups": [groups]}
        yield case("transposedConvolution", options, lambda x, weight: TRANSPOSE[x.dim() - 2](
            first(x), weight, None, strides, paddings, outputs, groups, dilations),
            x=image, weight=weight)
    for image, size, strides, paddings, up in POOLINGS:
        rank = len(size)
        options = {"size": size, "strides": strides, "paddings": paddings, "roundsUp": [int(up)]}
        maximum = getattr(F, f"max_pool{rank}d")
        yield case("maxPool", options, lambda x: maximum(
            first(x), size, strides, paddings, ceil_mode=up), x=image)
        average = getattr(F, f"avg_pool{rank}d")
        for counts in [True, False]:
            yield case("averagePool", options | {"countsPadding": [int(counts)]},
                       lambda x: average(first(x), size, strides, paddings, up, counts), x=image)
    for image, size in [((2, 7, 8, 3), [3, 5]), ((2, 5, 2), [4])]:
        for name, kind in [("adaptiveMaxPool", "max"), ("adaptiveAveragePool", "avg")]:
            function = getattr(F, f"adaptive_{kind}_pool{len(size)}d")
            yield case(name, {"size": size}, lambda x: function(first(x), size), x=image)
    for mode in ["reflect", "replicate", "circular"]:
        yield case(mode, {"before": [2, 1], "after": [0, 3]}, lambda x: F.pad(
            first(x), (1, 3, 2, 0), mode=mode), x=(2, 4, 5, 2))
    for image, size in RESIZINGS:
        yield case("nearest", {"size": size}, lambda x: F.interpolate(first(x), size), x=image)
        for corners in [False, True]:
            yield case("linear", {"size": size, "alignsCorners": [int(corners)]},
                       lambda x: F.interpolate(first(x), size, mode="bilinear",
                                               align_corners=corners), x=image)


def main():
    write("images", {"cases": list(cases())})


if __name__ == "__main__":
    main()
