"""The article's network in JAX: a whole training step in one jit, its state donated.

`step`         plain jax.numpy, Adam by hand, one call a step
`scan`         the same, many steps in one call (lax.scan over the batches)
`flax`         flax.linen and optax, one call a step
`flax-scan`    the same, many steps in one call
"""

import jax
import jax.numpy as jnp
from jax import lax

from peers.clock import throughput

VARIANTS = ("step", "scan", "flax", "flax-scan")
RING = 8  # different batches, so that nothing can be computed once and kept


def prepare(variant, workload):
    batch = workload["batchSize"]
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.uniform(keys[0], (RING, batch, 784))
    labels = jax.random.randint(keys[1], (RING, batch), 0, 10)
    make = flax_step if variant.startswith("flax") else plain_step
    state, step = make(keys[2], x[0])
    block, steps = (scan_block if variant.endswith("scan") else step_block)(step, x, labels)
    held = [jax.block_until_ready(block(state))]

    def run_block():
        held[0] = jax.block_until_ready(block(held[0]))

    def measure(seconds=workload["seconds"]):
        return throughput(run_block, steps, batch, seconds)

    measure(workload["warmUpSeconds"])
    return measure


def step_block(step, x, labels, turns=8):
    """A call a step. Calls return before their work is done: a block is waited for as a whole."""
    compiled = jax.jit(step, donate_argnums=0)
    batches = [(jnp.array(x[index]), jnp.array(labels[index])) for index in range(RING)]

    def block(state):
        for _ in range(turns):
            for batch in batches:
                state = compiled(state, *batch)
        return state

    return block, turns * RING


def scan_block(step, x, labels, turns=8):
    """All steps of a block in one call: a loop of scans over the batches."""

    def scan(_, state):
        return lax.scan(lambda state, batch: (step(state, *batch), None), state, (x, labels))[0]

    return (
        jax.jit(lambda state: lax.fori_loop(0, turns, scan, state), donate_argnums=0),
        turns * RING,
    )


def cross_entropy(logits, labels):
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
    return -jnp.mean(chosen)


def plain_step(key, _, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, momentum=0.1):
    keys = jax.random.split(key)
    parameters = {
        "dense1": (jax.random.normal(keys[0], (784, 128)) * (2 / 784) ** 0.5, jnp.zeros(128)),
        "norm1": (jnp.ones(128), jnp.zeros(128)),
        "dense2": (jax.random.normal(keys[1], (128, 10)) * (2 / 128) ** 0.5, jnp.zeros(10)),
        "norm2": (jnp.ones(10), jnp.zeros(10)),
    }
    state = {
        "parameters": parameters,
        "first": jax.tree.map(jnp.zeros_like, parameters),
        "second": jax.tree.map(jnp.zeros_like, parameters),
        "running": [(jnp.zeros(128), jnp.ones(128)), (jnp.zeros(10), jnp.ones(10))],
        "count": jnp.zeros((), jnp.int32),
    }

    def batch_norm(x, scale, shift):
        mean = x.mean(0)
        variance = jnp.square(x - mean).mean(0)
        return (x - mean) * lax.rsqrt(variance + 1e-5) * scale + shift, (mean, variance)

    def loss(parameters, x, labels):
        dense = lambda name, x: x @ parameters[name][0] + parameters[name][1]
        x, hidden = batch_norm(dense("dense1", x), *parameters["norm1"])
        x, output = batch_norm(dense("dense2", jax.nn.relu(x)), *parameters["norm2"])
        return cross_entropy(x, labels), [hidden, output]

    def step(state, x, labels):
        gradients, statistics = jax.grad(loss, has_aux=True)(state["parameters"], x, labels)
        count = state["count"] + 1
        mix = lambda weight: lambda old, new: old + weight * (new - old)
        first = jax.tree.map(mix(1 - beta1), state["first"], gradients)
        second = jax.tree.map(mix(1 - beta2), state["second"], jax.tree.map(jnp.square, gradients))
        scale = rate * jnp.sqrt(1 - beta2**count) / (1 - beta1**count)
        return {
            "parameters": jax.tree.map(
                lambda p, m, v: p - scale * m / (jnp.sqrt(v) + epsilon),
                state["parameters"],
                first,
                second,
            ),
            "first": first,
            "second": second,
            "running": jax.tree.map(mix(momentum), state["running"], statistics),
            "count": count,
        }

    return state, step


def flax_step(key, x):
    import flax.linen as nn
    import optax

    class Network(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.Dense(128)(x)
            x = nn.relu(nn.BatchNorm(use_running_average=False, momentum=0.9)(x))
            x = nn.Dense(10)(x)
            return nn.BatchNorm(use_running_average=False, momentum=0.9)(x)

    model, optimizer = Network(), optax.adam(1e-3)
    variables = model.init(key, x)
    parameters, statistics = variables["params"], variables["batch_stats"]

    def loss(parameters, statistics, x, labels):
        logits, updated = model.apply(
            {"params": parameters, "batch_stats": statistics}, x, mutable=["batch_stats"]
        )
        return cross_entropy(logits, labels), updated["batch_stats"]

    def step(state, x, labels):
        parameters, statistics, optimizer_state = state
        gradients, statistics = jax.grad(loss, has_aux=True)(parameters, statistics, x, labels)
        updates, optimizer_state = optimizer.update(gradients, optimizer_state)
        return optax.apply_updates(parameters, updates), statistics, optimizer_state

    return (parameters, statistics, optimizer.init(parameters)), step
