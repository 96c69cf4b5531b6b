"""What stands out in a tensor is said first, and the rest is judged."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from initspec import get, infer
from initspec.analysis.apart import set_apart
from initspec.analysis.patterns import pattern
from initspec.analysis.sample import Sample
from initspec.stream import dtypes

NAME = "he_normal@torch"
Change = Callable[[Any], None]


def weight(change: Change = lambda array: None, dtype: str = "float32") -> Any:
    array = get(NAME).numpy((96, 64), seed=3, name="w", layout="oi", dtype=dtype)
    change(array)
    return array


def put(place: Any, value: Any) -> Change:
    """A change that puts a number, or what a function makes of the tensor, in a place."""

    def change(array: Any) -> None:
        array[place] = value(array) if callable(value) else value

    return change


def flat(start: int, stop: int, value: Any) -> Change:
    def change(array: Any) -> None:
        numbers = array.reshape(-1)
        numbers[start:stop] = value(numbers) if callable(value) else value

    return change


CASES = {
    "a zero row": (put(5, 0), "Row 5 is zero, as the one of a padding index is"),
    "zero rows": (put([5, 8], 0), "Rows 5 and 8 are zero"),
    "a padded vocabulary": (
        put(slice(86, None), 0),
        "10 of its 96 rows (86 to 95) are zero, as the padding of a vocabulary is",
    ),
    "mostly zero rows": (put(slice(36, None), 0), "60 of its 96 rows (36 to 95) are zero"),
    "scattered zero rows": (
        put(np.s_[::4], 0),
        "24 of its 96 rows (0, 4, 8, 12 and 20 more) are zero",
    ),
    "zero columns": (put(np.s_[:, [5, 8, 9]], 0), "Columns 5, 8 and 9 are zero"),
    "a zero row and column": (
        lambda array: (put(7, 0)(array), put(np.s_[:, 5], 0)(array))[0],
        "Row 7 is zero, as the one of a padding index is; column 5 is zero",
    ),
    "a constant row": (put(5, 0.01), "Row 5 is 0.01 throughout"),
    "rows of ones": (put([5, 8], 1), "Rows 5 and 8 are 1 throughout"),
    "a constant column": (put(np.s_[:, 5], 1), "Column 5 is 1 throughout"),
    "rows of one number each": (
        put(slice(90, 96), np.arange(1.0, 7)[:, None]),
        "6 of its 96 rows (90 to 95) hold one number each",
    ),
    "a doubled row": (put(9, lambda array: array[5]), "Row 9 is a copy of row 5"),
    "a row thrice": (
        put([2, 7], lambda array: array[5]),
        "2 of its rows are copies of others (rows 5 and 7; the first of row 2)",
    ),
    "doubled rows": (
        put(slice(20, 24), lambda array: array[5:9]),
        "4 of its rows are copies of others (rows 20 to 23; the first of row 5)",
    ),
    "half of the rows doubled": (
        put(slice(48, 96), lambda array: array[:48]),
        "48 of its rows are copies of others",
    ),
    "a doubled column": (
        put(np.s_[:, 9], lambda array: array[:, 5]),
        "Column 9 is a copy of column 5",
    ),
    "the mean of rows as new rows": (
        put(slice(90, 96), lambda array: array[:90].mean(0)),
        "5 of its rows are copies of others (rows 91 to 95; the first of row 90); "
        "row 90 has a std of 0.01",
    ),
    "a row of another scale": (
        put(9, lambda array: 10 * array[9]),
        "Row 9 has a std of 1.",
    ),
    "a row turned": (
        put(9, lambda array: -array[5]),
        "Row 9 is row 5 with the other sign",
    ),
    "half of the rows turned": (
        put(slice(48, 96), lambda array: -array[:48]),
        "48 of its rows are others with the other sign",
    ),
    "a tail in the middle of a row": (
        flat(6104, None, 0),
        "Values 6,104 to 6,143 are zero, as memory that nobody has filled is",
    ),
    "one value far outside": (put((0, 3), 6e4), "Value 3 is 6e+04, far outside of the others"),
}


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_set_apart(case: str, dtype: str) -> None:
    change, words = CASES[case]
    if dtype != "float32":
        narrow = weight(dtype="float32")
        change(narrow)
        array = dtypes.typed(dtypes.rounded(narrow, dtype), dtype)
    else:
        array = weight(change)
    found = infer(array)
    assert found.sentence.startswith(words), found.sentence
    assert "; the rest could be" in found.sentence
    assert NAME in found.names
    assert found.apart
    assert found.to_dict()["apart"] == list(found.apart)


@pytest.mark.parametrize("scale", [1e-42, 1e30])
def test_memory_that_nobody_has_written(scale: float) -> None:
    rng = np.random.default_rng(0)
    found = infer(weight(flat(5000, None, np.abs(rng.normal(size=1144)) * scale)))
    assert found.sentence.startswith("Values 5,000 to 6,143 are of sizes from ")
    assert "as in memory that nobody has written" in found.sentence
    assert NAME in found.names


def test_a_stretch_that_repeats_another() -> None:
    found = infer(weight(flat(3000, 6000, lambda numbers: numbers[:3000].copy())))
    assert found.sentence.startswith("Values 3,000 to 5,999 are those 3,000 places before them")
    assert NAME in found.names
    turned = infer(weight(flat(3000, 6000, lambda numbers: -numbers[:3000])))
    assert "places before them with the other sign" in turned.sentence
    rng = np.random.default_rng(0)
    tiled = infer(np.tile(rng.normal(0, 0.02, 700).astype(np.float32), 5))
    assert tiled.sentence.startswith("Values 700 to 3,499 are those 700 places before them")
    assert "normal(std=0.02)" in tiled.names


def test_kernels_of_convolutions() -> None:
    array = get(NAME).numpy((64, 32, 3, 3), seed=1, name="c", layout="oihw")
    zero, double, same = array.copy(), array.copy(), np.repeat(array[:, :1], 32, axis=1)
    zero[[3, 4]], double[4] = 0, double[3]
    for changed, words in {
        "Slices 3 and 4 of axis 0 are zero": zero,
        "Slice 4 of axis 0 is a copy of slice 3": double,
        "31 of its slices of axis 1 are copies of others": same,
    }.items():
        found = infer(words)
        assert found.sentence.startswith(changed)
        assert NAME in found.names


def test_mirrors_and_triangles() -> None:
    square = get("glorot_uniform").numpy((96, 96), seed=0)
    low = np.tril(square)
    for array, words in {
        "It is zero above its diagonal": low,
        "It is zero below its diagonal": low.T.copy(),
        "It is its own transpose": low + np.tril(low, -1).T,
    }.items():
        found = infer(words)
        assert found.sentence.startswith(array)
        assert "glorot_uniform" in found.names
    row = np.random.default_rng(0).normal(0, 0.02, 3000)
    found = infer(np.concatenate([row, row[::-1]]))
    assert found.sentence.startswith("It is the same backwards")
    assert "normal(std=0.02)" in found.names


def test_whole_laws_are_not_taken_apart() -> None:
    for name, shape in {
        "identity": (64, 96),
        "dirac@torch": (48, 32, 3, 3),
        "sparse@torch(sparsity=0.9)": (96, 20),
        "delta_orthogonal": (3, 3, 32, 48),
        "bilinear": (5, 5, 3, 3),
    }.items():
        layout = "oihw" if name == "dirac@torch" else None
        found = infer(get(name).numpy(shape, seed=1, name=name, layout=layout))
        assert name.partition("(")[0] in " ".join(found.names), name
        assert found.apart == (), name


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize(
    "shape", [(9,), (4, 2), (40, 3), (2000, 2), (300, 4), (24, 16, 3), (7, 900)]
)
def test_nothing_stands_out_in_what_is_drawn(shape: tuple[int, ...], dtype: str) -> None:
    for name in ("normal(std=0.02)", "uniform(low=-0.05, high=0.05)", "truncated_normal@torch"):
        for seed in range(12):
            array = dtypes.widened(get(name).numpy(shape, seed=seed, name=f"{shape}", dtype=dtype)
                                   .view(np.uint16 if dtype == "bfloat16" else dtype))  # fmt: skip
            sample = Sample(array, dtype)
            assert set_apart(sample).words == ()
            assert pattern(sample) == ""


# --------------------------------------------------------------------------- what no law draws


def test_counters_masks_and_quantised_weights() -> None:
    rng = np.random.default_rng(0)
    wide = weight().astype(np.float64)
    whole, rows = np.abs(wide).max() / 127, np.abs(wide).max(1, keepdims=True) / 7
    for array, words in (
        (np.arange(96.0), "its values rise from 0 to 95 in equal steps"),
        (np.linspace(-1, 1, 200), "its values rise from -1 to 1 in equal steps"),
        (np.sort(wide.reshape(-1)).reshape(96, 64), "its values rise from"),
        (np.sort(wide, axis=1), "its values rise along axis 1 in every line"),
        (rng.permutation(96.0 * np.arange(64)), "its values are whole numbers from 0 to 6048"),
        ((rng.random((96, 64)) < 0.5) * 1.0, "only 2 different numbers (0 and 1), as a mask has"),
        (np.tril(np.ones((96, 96))), "only 2 different numbers (0 and 1), as a mask has"),
        (np.sign(wide), "only 2 different numbers (-1 and 1), as signs"),
        (np.rint(wide / wide.std()).clip(-1, 1), "only 3 different numbers (-1, 0 and 1)"),
        (np.rint(wide / whole) * whole, " equal steps, as those of quantised"),
        (np.rint(wide / rows) * rows, "each row has equal steps of its own, at most 14 of them"),
        ((np.rint(wide / rows) * rows).T, "each column has equal steps of its own"),
    ):  # fmt: skip
        for dtype in ("float64", "float32"):
            found = infer(np.asarray(array, dtype))
            assert found.groups == (), words
            assert found.sentence.startswith("None of ours: "), found.sentence
            assert words in found.sentence, found.sentence


def test_products_and_rows_of_other_scales() -> None:
    rng = np.random.default_rng(0)
    product = rng.normal(size=(96, 3)) @ rng.normal(size=(3, 64))
    assert "its rank is 3 of 64" in infer(product.astype(np.float32)).sentence
    scales = np.exp(rng.normal(size=(96, 1)))
    found = infer((rng.normal(size=(96, 64)) * scales).astype(np.float32))
    assert "its rows differ in scale, from a std of" in found.sentence
    assert found.groups == ()


# -------------------------------------------------------------------------------------- fused


def drawn(name: str, shape: tuple[int, ...], seed: int) -> Any:
    return get(name).numpy(shape, seed=seed, name="part", layout="oi")


@pytest.mark.parametrize("axis", [0, 1])
def test_parts_with_laws_of_their_own(axis: int) -> None:
    stds = (0.02, 0.1, 1.0)
    parts = [drawn(f"normal(std={std})", (64, 64), seed) for seed, std in enumerate(stds)]
    found = infer(np.concatenate(parts, axis))
    assert found.groups == ()
    assert found.sentence.startswith(
        "None of ours as a whole, for its parts have laws of their own: "
        f"{('rows', 'columns')[axis]} 0 to 63 could be normal(std=0.02) (normal, std 0.02); "
    )
    assert [(part.axis, part.start, part.stop) for part in found.parts] == [
        (axis, 0, 64), (axis, 64, 128), (axis, 128, 192)
    ]  # fmt: skip
    assert [part.law.std for part in found.parts if part.law] == pytest.approx(stds, rel=0.05)
    assert [part["stop"] for part in found.to_dict()["parts"]] == [64, 128, 192]


def test_parts_of_other_sizes_and_kinds() -> None:
    grouped = np.concatenate(
        [drawn("normal(std=0.02)", (128, 64), 0), drawn("normal(std=0.05)", (32, 64), 1)]
    )
    assert [part.stop for part in infer(grouped).parts] == [128, 160]
    names = ("he_uniform", "he_normal@torch")
    found = infer(np.concatenate([drawn(name, (96, 128), 0) for name in names]))
    assert [part.stop for part in found.parts] == [96, 192]
    assert "he_uniform" in found.sentence
    assert "he_normal" in found.sentence
    gates = np.concatenate([drawn("orthogonal", (64, 64), seed) for seed in range(3)])
    assert infer(gates).sentence.startswith(
        "None of ours as a whole: each of 3 parts of its rows could be orthogonal"
    )
    assert "orthogonal" in infer(drawn("orthogonal", (192, 64), 0)).names


def test_biases_of_gates() -> None:
    bias = np.random.default_rng(0).uniform(-1 / 8, 1 / 8, 256).astype(np.float32)
    one, more, plain = bias.copy(), bias.copy(), np.zeros(256, np.float32)
    one[64:128] = plain[64:128] = 1
    more[64:128] += 1
    gate = "alues 64 to 127 are 1, as those of an open forget gate are"
    found = infer(one)
    assert found.sentence.startswith("V" + gate)
    assert "torch.nn.LSTM#bias_ih_l0" in found.names
    assert f"values 0 to 63 are zero; v{gate}; values 128 to 255" in infer(plain).sentence
    found = infer(more)
    assert [part.stop for part in found.parts] == [64, 128, 256]
    assert "as of an open forget gate" in found.sentence


def test_parts_are_no_way_around_a_refusal() -> None:
    """A tensor whose parts are alike is refused for something else."""
    rng = np.random.default_rng(0)
    for axis in (0, 1):
        update = np.outer(rng.normal(size=96), rng.normal(size=128))
        found = infer(np.concatenate([rng.normal(size=(96, 128)) + 0.2 * update] * 1, axis))
        assert found.parts == ()
    assert infer(rng.laplace(size=(96, 128))).parts == ()
    assert infer(rng.standard_t(3, size=(96, 128))).parts == ()


# --------------------------------------------------------------------------------------- small


def test_one_number_says_how_little_it_tells() -> None:
    for value, name in ((0.0, "zeros"), (1.0, "ones")):
        found = infer(np.float32([value]))
        assert found.names[0] == name
        assert found.sentence.startswith(f"One value is too few to say anything: {name} makes it")
    assert infer(np.float32([0.3, 0.3])).names[0] == "constant(value=0.3)"


def test_little_that_is_left_says_so() -> None:
    found = infer(weight(put(slice(1, 96), 0)))
    assert found.sentence.startswith(
        "95 of its 96 rows (1 to 95) are zero; the other 64 values are too few to say anything"
    )


def test_a_few_values_say_how_little_they_tell() -> None:
    bias = np.random.default_rng(0).normal(0, 0.05, 96)
    assert infer(bias).sentence.endswith(
        "96 values tell its scale to 14%, and little of its shape."
    )
    assert "of its shape" not in infer(weight()).sentence


def test_rows_with_scales_of_their_own_are_refused() -> None:
    """As wide as a scheme, and normal, but for a few rows that learned less."""
    rng = np.random.default_rng(0)
    stds = np.where(np.arange(96) % 16 == 0, 0.3, 1.028) * math.sqrt(2 / 64)
    array = (rng.normal(size=(96, 64)) * stds[:, None]).astype(np.float32)
    assert infer(array).groups == ()
    shifted = rng.normal(0, math.sqrt(2 / 64), (96, 64))
    shifted[:4] += 0.12
    assert infer(shifted.astype(np.float32)).groups == ()


def test_constants_but_for_a_few() -> None:
    ones, rows, columns = np.ones(64), np.full((64, 96), 0.02), np.ones((64, 96))
    ones[5], rows[3], columns[:, 5] = 0, 0, 2
    assert "it is 1 but for value 5, which is 0" in infer(ones).sentence
    found = infer(rows)
    assert found.sentence.startswith("Row 3 is zero")
    assert found.names[0] == "constant(value=0.02)"
    found = infer(columns)
    assert found.sentence.startswith("Column 5 is 2 throughout; the rest could be ones")


def test_parts_are_looked_at_where_the_rest_has_no_law() -> None:
    stds = (0.02, 0.05, 1.0)
    found = infer(np.stack([drawn(f"normal(std={std})", (64, 64), 0) for std in stds]))
    assert [part.law.std for part in found.parts if part.law] == pytest.approx(stds, rel=0.05)
    assert "slice 0 of axis 0 could be normal(std=0.02)" in found.sentence
    half = np.concatenate([np.eye(64), drawn("normal(std=0.02)", (64, 64), 0)])
    assert "rows 0 to 63 could be identity" in infer(half).sentence
