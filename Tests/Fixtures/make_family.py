"""family.json: the normalizers beside batch and layer norm, values and gradients, in float64.

PyTorch's own functions where it has them; elsewhere the paper's formula in elementary operations, so that
autograd differentiates it.
"""

import torch
import torch.nn.functional as F

from fixture_io import differentiate, generator, normal, write

SHAPES = [((4, 6), 1), ((3, 6, 5), 1), ((3, 5, 6), -1), ((2, 6, 3, 4), 1), ((2, 3, 4, 6), 3),
          ((2, 3, 6, 2, 2), 2)]


def view(values, x, axis):
    extents = [1] * x.dim()
    extents[axis] = -1
    return values.reshape(extents)


def moved(function, axis):
    """A function of tensors with the channels on axis 1, for channels anywhere."""
    return lambda x, *rest: function(x.movedim(axis, 1), *rest).movedim(1, axis)


def variance(x, axes):
    return x.var(axes, unbiased=False, keepdim=True) if axes else torch.zeros_like(x)


def grouped(x, groups):
    return x.reshape(x.shape[0], groups, -1)


def functions(axis):
    def group_norm(x, gamma, beta):
        return moved(lambda x, g, b: F.group_norm(x, 3, g, b, 1e-5), axis)(x, gamma, beta)

    def instance_norm(x, gamma, beta):
        return moved(lambda x, g, b: F.group_norm(x, x.shape[1], g, b, 1e-5), axis)(x, gamma, beta)

    def rms_norm(x, gamma):
        return F.rms_norm(x, [x.shape[-1]], gamma, 1e-5)

    def unit_norm(x):
        return F.normalize(x, dim=axis, eps=1e-12)

    def local_response_norm(x):
        # The function wants positions behind the channels; there may be none here.
        def response(x):
            return F.local_response_norm(x.unsqueeze(-1), 4, 0.5, 0.6, 1.5).squeeze(-1)

        return moved(response, axis)(x)

    def filter_response_norm(x, gamma, beta, tau):
        axes = [a for a in range(1, x.dim()) if a != axis % x.dim()]
        square = (x * x).mean(axes, keepdim=True) if axes else x * x
        y = x / (square + 1e-5).sqrt() * view(gamma, x, axis) + view(beta, x, axis)
        return torch.maximum(y, view(tau, x, axis))

    def evonorm_b0(x, gamma, beta, v):
        channel = axis % x.dim()
        batch = variance(x, [a for a in range(x.dim()) if a != channel])
        instance = variance(x, [a for a in range(1, x.dim()) if a != channel])
        right = x * view(v, x, axis) + (instance + 1e-5).sqrt()
        divisor = torch.maximum((batch + 1e-5).sqrt(), right)
        return x / divisor * view(gamma, x, axis) + view(beta, x, axis)

    def evonorm_s0(x, gamma, beta, v):
        z = x.movedim(axis, 1)
        divisor = (grouped(z, 3).var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        y = (grouped(z * (z * view(v, z, 1)).sigmoid(), 3) / divisor).reshape(z.shape)
        return y.movedim(1, axis) * view(gamma, x, axis) + view(beta, x, axis)

    return [group_norm, instance_norm, rms_norm, unit_norm, local_response_norm,
            filter_response_norm, evonorm_b0, evonorm_s0]


def cases():
    numbers = generator(71)
    for shape, axis in SHAPES:
        for function in functions(axis):
            names = function.__code__.co_varnames[: function.__code__.co_argcount]
            inputs = {"x": normal(numbers, *shape, scale=2, offset=0.5)}
            length = shape[-1] if function.__name__ == "rms_norm" else shape[axis]
            for name in names[1:]:
                inputs[name] = normal(numbers, length, scale=0.5, offset=name == "gamma")
            yield {"operation": function.__name__, "attributes": {"axis": axis}} | differentiate(
                function, inputs
            )


def main():
    write("family", {"cases": list(cases())})


if __name__ == "__main__":
    main()
