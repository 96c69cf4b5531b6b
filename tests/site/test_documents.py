"""Each formula of the documents behind this project, written out again, against its row."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from initspec import Custom, get
from initspec.spec.distribution import Normal, TruncatedNormal, Uniform

ROWS, COLUMNS = 300, 100
C = 0.87962566103423978  # the standard deviation of a standard normal cut at two


def contrib_n(mode: str) -> float:
    return {"FAN_IN": ROWS, "FAN_OUT": COLUMNS, "FAN_AVG": (ROWS + COLUMNS) / 2}[mode]


@pytest.mark.parametrize("mode", ["FAN_IN", "FAN_OUT", "FAN_AVG"])
@pytest.mark.parametrize("factor", [2.0, 1.0, 1.43])
def test_tf_contrib(mode: str, factor: float) -> None:
    n = contrib_n(mode)
    code = get("variance_scaling@tf.contrib", factor=factor, mode=mode).on((ROWS, COLUMNS))
    assert isinstance(code, TruncatedNormal)
    assert code.sigma == pytest.approx(math.sqrt(1.3 * factor / n))
    assert (code.low, code.high) == (-2, 2)
    docs = get("variance_scaling@tf.contrib-docs", factor=factor, mode=mode).on((ROWS, COLUMNS))
    assert isinstance(docs, TruncatedNormal)
    assert docs.sigma == pytest.approx(math.sqrt(factor / n))
    even = get("variance_scaling@tf.contrib", factor, mode, True).on((ROWS, COLUMNS))
    assert even.support == pytest.approx((-math.sqrt(3 * factor / n), math.sqrt(3 * factor / n)))


def test_tf_contrib_presets() -> None:
    make = get
    assert make("msra@tf.contrib") == make("variance_scaling@tf.contrib(2.0, 'FAN_IN', False)")
    assert make("caffe@tf.contrib") == make("variance_scaling@tf.contrib(1.0, 'FAN_IN', True)")
    assert make("glorot@tf.contrib") == make("variance_scaling@tf.contrib(1.0, 'FAN_AVG', True)")
    for even in (True, False):
        both = make("variance_scaling@tf.contrib", 1.0, "FAN_AVG", even)
        assert make("xavier@tf.contrib", uniform=even) == both
    documented = make("variance_scaling@tf.contrib-docs", 1.0, "FAN_AVG", False)
    assert make("xavier@tf.contrib-docs", uniform=False) == documented


@pytest.mark.parametrize(
    ("name", "std", "law"),
    [
        ("glorot_normal", math.sqrt(2 / (ROWS + COLUMNS)), TruncatedNormal),
        ("glorot_uniform", math.sqrt(2 / (ROWS + COLUMNS)), Uniform),
        ("he_normal", math.sqrt(2 / ROWS), TruncatedNormal),
        ("he_uniform", math.sqrt(2 / ROWS), Uniform),
        ("lecun_normal", math.sqrt(1 / ROWS), TruncatedNormal),
        ("lecun_uniform", math.sqrt(1 / ROWS), Uniform),
    ],
)
@pytest.mark.parametrize("dialect", ["", "@keras"])
def test_keras(name: str, std: float, law: type, dialect: str) -> None:
    found = get(name + dialect).on((ROWS, COLUMNS))
    assert type(found) is law
    assert found.std == pytest.approx(std, rel=1e-12)
    if isinstance(found, TruncatedNormal):
        assert found.sigma == pytest.approx(std / C)
        assert (found.low, found.high) == (-2, 2)


def test_keras_fixed_scales() -> None:
    assert get("zeros@keras").on((3,)).support == (0, 0)
    assert get("normal@keras", mean=1.0, stddev=0.1).on((3,)) == Normal(1.0, 0.1)
    assert get("uniform@keras", minval=-1.0, maxval=2.0).on((3,)) == Uniform(-1.0, 2.0)
    assert get("random_normal@keras").on((3,)) == Normal(0.0, 0.05)


@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_neupy(gain: float) -> None:
    shape = (ROWS, COLUMNS)
    both = ROWS + COLUMNS
    assert get("he_normal@neupy", gain=gain).on(shape).variance == pytest.approx(gain / ROWS)
    assert get("he_uniform@neupy", gain=gain).on(shape).support[1] == pytest.approx(
        math.sqrt(3 * gain / ROWS)
    )
    assert get("xavier@neupy", gain=gain).on(shape).variance == pytest.approx(gain / both)
    assert get("glorot_uniform@neupy", gain=gain).on(shape).support[1] == pytest.approx(
        math.sqrt(3 * gain / both)
    )
    assert type(get("xavier_normal@neupy").on(shape)) is Normal


def test_neupy_fixed_scales() -> None:
    assert get("constant@neupy", 3.0).on((2,)).mean == 3
    assert get("normal@neupy").on((2,)) == Normal(0.0, 0.01)
    assert get("uniform@neupy", minval=-0.5, maxval=0.5).on((2,)) == Uniform(-0.5, 0.5)
    square = get("orthogonal@neupy", scale=2.0).numpy((5, 3), seed=1)
    assert np.allclose(square.T @ square, 4 * np.eye(3), atol=1e-5)


class Exponential(Custom):
    """The custom initializer of neupy's documentation."""

    def __init__(self, scale: float = 0.02) -> None:
        self.scale = scale

    def sample(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.random.default_rng(0).exponential(self.scale, size=shape)


def test_a_custom_initializer_has_one_method() -> None:
    made = get(Exponential(scale=0.5)).numpy((200, 300), seed=0)
    assert made.shape == (200, 300)
    assert made.min() > 0
    assert made.mean() == pytest.approx(0.5, rel=0.03)


def test_a_weight_given_as_an_array() -> None:
    weight = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(get(weight).numpy((2, 3)), weight)


def test_a_parameter_shared_by_two_layers() -> None:
    he = get("he_normal")
    first, second = (he.numpy((10, 10), seed=7, name="shared.weight") for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, he.numpy((10, 10), seed=7, name="own.weight"))


def test_berry_answers_with_the_standard_deviation() -> None:
    assert get("xavier@berry").given(fan_in=30, fan_out=20).std == math.sqrt(2 / (30 + 20))
    assert get("deepnet@berry").given(fan_in=30, fan_out=20).std == math.sqrt(2 / 20)
    assert type(get("xavier@berry").given(fan_in=30, fan_out=20)) is Normal


@pytest.mark.parametrize(
    ("name", "std"),
    [
        ("zeros@recipes", lambda rows, columns: 0.0),
        ("uniform@recipes", lambda rows, columns: math.sqrt(1 / 12)),
        ("lecun_normal@recipes", lambda rows, columns: math.sqrt(1 / rows)),
        ("he_normal@recipes", lambda rows, columns: math.sqrt(2 / (rows + 1))),
        ("glorot_normal@recipes", lambda rows, columns: math.sqrt(6 / ((rows + 1) + columns))),
    ],
)
def test_recipes(name: str, std: Callable[[int, int], float]) -> None:
    assert get(name).on((ROWS, COLUMNS)).std == pytest.approx(std(ROWS, COLUMNS), rel=1e-12)


def test_a_recipe_with_three_times_the_variance_says_so() -> None:
    from initspec import schemes

    assert "three times Glorot's variance" in schemes["glorot_normal@recipes"].note
    recipe = get("glorot_normal@recipes").given(fan_in=999, fan_out=1000)
    assert recipe.variance == pytest.approx(
        3 * get("glorot_normal").given(fan_in=1000, fan_out=1000).variance
    )


@pytest.mark.parametrize(
    ("call", "variance"),
    [
        ("he_normal@torch", 2 / ROWS),
        ("kaiming_normal@torch(a=0.2, mode='fan_out')", 2 / (1 + 0.04) / COLUMNS),
        ("kaiming_uniform@torch(a=5**0.5)", None),
        ("he_uniform@torch(nonlinearity='tanh')", 25 / 9 / ROWS),
        ("xavier_normal@torch(gain=2.0)", 4 * 2 / (ROWS + COLUMNS)),
        ("xavier_uniform@torch", 2 / (ROWS + COLUMNS)),
    ],
)
def test_torch(call: str, variance: float | None) -> None:
    if variance is None:  # arithmetic is no literal
        with pytest.raises(ValueError, match="cannot read the arguments"):
            get(call)
        return
    law = get(call).on((ROWS, COLUMNS))
    assert law.variance == pytest.approx(variance, rel=1e-12)
    assert type(law) is (Normal if "normal" in call else Uniform)


def test_torch_linear_is_a_sixth_of_he() -> None:
    law = get("kaiming_uniform@torch", a=math.sqrt(5)).on((COLUMNS, ROWS), "oi")
    assert law.support[1] == pytest.approx(1 / math.sqrt(ROWS))


def test_dialects_count_fans_as_their_framework() -> None:
    shape, layout = (16, 32, 3, 3), "torch.ConvTranspose2d"
    assert get("he_normal").on(shape, layout).variance == pytest.approx(2 / 144)
    assert get("he_normal@torch").on(shape, layout).variance == pytest.approx(2 / 288)
