"""Generated Keras is run, and held against the spec."""

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("scipy")

import keras
from generated import SCHEMES, chance

import initspec
from initspec.spec.distribution import Normal, TruncatedNormal, Uniform


def executed(source: str, shape: tuple[int, ...]) -> np.ndarray:
    keras.utils.set_random_seed(3)
    made = eval(source.splitlines()[-1], {"keras": keras, "initspec": initspec})
    return np.asarray(keras.ops.convert_to_numpy(made(shape)), np.float64)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize(("shape", "layout"), [((300, 200), "io"), ((5, 7, 36, 48), "hwio")])
@pytest.mark.parametrize("given", [False, True], ids=["for any shape", "for this shape"])
def test_elements(name: str, shape: tuple[int, ...], layout: str, given: bool) -> None:
    law = initspec.get(name).on(shape, layout)
    assert isinstance(law, (Normal, TruncatedNormal, Uniform))
    found = initspec.generate(name, "keras", *((shape, layout) if given else ()))
    values = executed(found.source, shape).ravel()
    assert chance(values, law) > 1e-6
    assert values.std() == pytest.approx(law.std, rel=0.03)


def test_a_wrong_text_would_be_seen() -> None:
    law = initspec.get("he_normal@torch").on((300, 200), "io")
    source = initspec.generate("he_normal", "keras").source
    assert chance(executed(source, (300, 200)).ravel(), law) < 1e-9


@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_structure(gain: float) -> None:
    weight = executed(initspec.generate(f"orthogonal(gain={gain})", "keras").source, (12, 20))
    assert np.allclose(weight @ weight.T, gain**2 * np.eye(12), atol=1e-5)
    for name in ("zeros", "ones", "constant(value=2.5)", "identity", "dirac"):
        shape = (3, 3, 6, 9) if name == "dirac" else (6, 9)
        found = executed(initspec.generate(name, "keras").source, shape)
        assert np.array_equal(found, initspec.get(name).numpy(shape))
