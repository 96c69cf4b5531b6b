"""XOR, four times: why zeros cannot be the start, and Glorot's weights can.

A network of two layers, tanh and then a sigmoid, learns XOR by plain gradient descent. Each of
the four functions below is written in the idiom of its framework and takes its first weights from
initspec; the same seed gives all four the same weights, so that all four learn alike.

    python docs/tutorials/xor/xor.py numpy torch keras jax
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

import initspec

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
TARGETS = np.array([[0], [1], [1], [0]], np.float32)
HIDDEN, STEPS, RATE, SEED = 4, 2000, 0.5, 1


class Result(NamedTuple):
    """What training came to: the share of right answers, and the hidden layer's weights."""

    accuracy: float
    hidden: np.ndarray


def accuracy(answers: np.ndarray) -> float:
    """The share of answers on the right side of one half."""
    return float(np.mean((answers > 0.5) == (TARGETS > 0.5)))


def with_numpy(scheme: str) -> Result:
    """The gradients written out."""
    init = initspec.get(scheme).numpy
    w1, b1 = init((2, HIDDEN), seed=SEED, name="hidden"), np.zeros(HIDDEN, np.float32)
    w2, b2 = init((HIDDEN, 1), seed=SEED, name="output"), np.zeros(1, np.float32)
    for _ in range(STEPS):
        hidden = np.tanh(INPUTS @ w1 + b1)
        answers = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
        error = answers - TARGETS  # of the cross-entropy, before the sigmoid
        back = (error @ w2.T) * (1 - hidden**2)
        w2 -= RATE * (hidden.T @ error)
        b2 -= RATE * error.sum(0)
        w1 -= RATE * (INPUTS.T @ back)
        b1 -= RATE * back.sum(0)
    answers = 1 / (1 + np.exp(-(np.tanh(INPUTS @ w1 + b1) @ w2 + b2)))
    return Result(accuracy(answers), w1)


def with_torch(scheme: str) -> Result:
    """Two Linear layers, filled in place."""
    import torch

    init = initspec.get(scheme)
    hidden, output = torch.nn.Linear(2, HIDDEN), torch.nn.Linear(HIDDEN, 1)
    init.torch_(hidden.weight, seed=SEED, name="hidden")
    init.torch_(output.weight, seed=SEED, name="output")
    torch.nn.init.zeros_(hidden.bias)
    torch.nn.init.zeros_(output.bias)
    model = torch.nn.Sequential(hidden, torch.nn.Tanh(), output)
    descent = torch.optim.SGD(model.parameters(), lr=RATE)
    loss = torch.nn.BCEWithLogitsLoss(reduction="sum")
    inputs, targets = torch.from_numpy(INPUTS), torch.from_numpy(TARGETS)
    for _ in range(STEPS):
        descent.zero_grad()
        loss(model(inputs), targets).backward()
        descent.step()
    answers = torch.sigmoid(model(inputs)).detach().numpy()
    return Result(accuracy(answers), hidden.weight.detach().numpy().T)


def with_keras(scheme: str) -> Result:
    """Two Dense layers with kernel_initializer=."""
    import keras

    def dense(units: int, activation: str, name: str) -> keras.layers.Layer:
        init = initspec.initializer(scheme, backend="keras", seed=SEED, name=name)
        return keras.layers.Dense(units, activation, kernel_initializer=init)

    model = keras.Sequential(
        [keras.Input((2,)), dense(HIDDEN, "tanh", "hidden"), dense(1, "sigmoid", "output")]
    )
    loss = keras.losses.BinaryCrossentropy(reduction="sum")
    model.compile(keras.optimizers.SGD(RATE), loss)
    # One epoch of many full batches: an epoch costs more than its four examples.
    model.fit(
        np.tile(INPUTS, (STEPS, 1)),
        np.tile(TARGETS, (STEPS, 1)),
        batch_size=4,
        shuffle=False,
        verbose=0,
    )
    answers = np.asarray(model.predict(INPUTS, verbose=0))
    return Result(accuracy(answers), np.asarray(model.layers[0].kernel))


def with_jax(scheme: str) -> Result:
    """Pure functions; the key goes in, and the parameter's name is folded into it."""
    import jax
    import jax.numpy as jnp

    def init(name: str, shape: tuple[int, int]) -> jax.Array:
        return initspec.initializer(scheme, backend="jax", name=name)(jax.random.key(SEED), shape)

    def logits(params: dict[str, jax.Array]) -> jax.Array:
        return jnp.tanh(INPUTS @ params["w1"] + params["b1"]) @ params["w2"] + params["b2"]

    def loss(params: dict[str, jax.Array]) -> jax.Array:
        z = logits(params)
        return jnp.sum(jnp.logaddexp(0, z) - TARGETS * z)

    @jax.jit
    def train(params: dict[str, jax.Array]) -> dict[str, jax.Array]:
        def step(_: int, now: dict[str, jax.Array]) -> dict[str, jax.Array]:
            return jax.tree.map(lambda p, g: p - RATE * g, now, jax.grad(loss)(now))

        return jax.lax.fori_loop(0, STEPS, step, params)

    params = train(
        {
            "w1": init("hidden", (2, HIDDEN)),
            "b1": jnp.zeros(HIDDEN),
            "w2": init("output", (HIDDEN, 1)),
            "b2": jnp.zeros(1),
        }
    )
    return Result(accuracy(np.asarray(jax.nn.sigmoid(logits(params)))), np.asarray(params["w1"]))


TRAIN = {"numpy": with_numpy, "torch": with_torch, "keras": with_keras, "jax": with_jax}


def equal_units(hidden: np.ndarray) -> bool:
    """Whether every hidden unit has the same weights: then it is one unit, four times."""
    return bool(np.allclose(hidden, hidden[:, :1], atol=1e-6))


def main(backends: list[str]) -> None:
    """Train from each start on each backend and print what came of it."""
    for backend in backends or ["numpy"]:
        for scheme in ("zeros", "constant(0.5)", "glorot_normal"):
            result = TRAIN[backend](scheme)
            units = "hidden units equal" if equal_units(result.hidden) else "hidden units differ"
            print(f"{backend:6} {scheme:14} {result.accuracy:4.0%} right, {units}")


if __name__ == "__main__":
    main(sys.argv[1:])
