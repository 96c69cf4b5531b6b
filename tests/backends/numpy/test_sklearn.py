"""scikit-learn's networks: no hook for initializers, but one line sets their weights."""

import warnings

import numpy as np
import pytest

import initspec

network = pytest.importorskip("sklearn.neural_network")


def test_a_network_starts_from_our_weights() -> None:
    he = initspec.get("he_normal")
    inputs = np.random.default_rng(0).normal(size=(64, 5))
    targets = inputs.sum(1) > 0
    mlp = network.MLPClassifier((16,), learning_rate_init=1e-12, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp.partial_fit(inputs, targets, classes=[False, True])
        for number, weight in enumerate(mlp.coefs_):
            weight[...] = he.numpy(weight.shape, seed=0, name=f"coefs.{number}")
        mlp.partial_fit(inputs, targets)
    for number, weight in enumerate(mlp.coefs_):
        ours = he.numpy(weight.shape, seed=0, name=f"coefs.{number}")
        assert np.allclose(weight, ours, atol=1e-9)
        assert weight.shape == ((5, 16), (16, 1))[number]
