"""Batch norm and ReLU, forward and backward, in JAX: one jit, channels last."""

import time

import jax
import jax.numpy as jnp
from jax import lax

from peers.clock import median_time

VARIANTS = ("jit",)


def prepare(variant, workload):
    shape = tuple(workload["shape"])
    keys = jax.random.split(jax.random.key(0))
    x, upstream = jax.random.normal(keys[0], shape), jax.random.normal(keys[1], shape)
    gamma, beta = jnp.ones(shape[-1]), jnp.zeros(shape[-1])
    axes = tuple(range(len(shape) - 1))

    def forward(x, gamma, beta):
        mean = x.mean(axes)
        variance = jnp.square(x - mean).mean(axes)
        y = jax.nn.relu((x - mean) * lax.rsqrt(variance + 1e-5) * gamma + beta)
        return y, (mean, variance)

    @jax.jit
    def both(x, gamma, beta, upstream):
        y, backward, moments = jax.vjp(forward, x, gamma, beta, has_aux=True)
        return y, backward(upstream), moments

    def once():
        start = time.perf_counter()
        jax.block_until_ready(both(x, gamma, beta, upstream))
        return time.perf_counter() - start

    def measure(seconds=workload["seconds"]):
        return median_time(once, seconds)

    measure(workload["warmUpSeconds"])
    return measure
