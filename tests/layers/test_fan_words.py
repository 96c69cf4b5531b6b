"""Fans in words: products of symbols, held against the numbers."""

import pytest

from initspec import LayoutError, fans
from initspec.layers.defaults import frameworks, table
from initspec.layers.fan_words import Product, fan_words
from initspec.layers.sizes import evaluate

SIZES = {
    "in": 48, "out": 60, "in1": 11, "in2": 13, "k": (3, 5), "groups": 4, "multiplier": 7,
    "vocab": 97, "hidden": 29, "heads": 6, "head_dim": 17, "kdim": 37, "vdim": 41, "kv_heads": 2,
    "rank": 19, "places": (23, 31),
}  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "layout", "rule", "expected"),
    [
        ("out in", "oi", "true", ("in", "out")),
        ("out in/groups k", "oi*, groups=groups", "torch", ("in/groups*k", "out*k")),
        ("k in/groups out", "*io, groups=groups", "true", ("in/groups*k", "out/groups*k")),
        ("3*hidden hidden", "oi, stack=3", "true", ("hidden", "hidden")),
        ("hidden 3*hidden", "io, stack=3", "naive", ("hidden", "3*hidden")),
        ("k 1 in*multiplier", "*io, groups=in", "true", ("k", "multiplier*k")),
        ("in+hidden 4*hidden", "io, stack=4", "true", ("(in+hidden)", "hidden")),
        ("vocab out", "vo", "true", ("1", "out")),
    ],
)
def test_words(shape: str, layout: str, rule: str, expected: tuple[str, str]) -> None:
    assert fan_words(shape, layout, rule) == expected


def test_words_are_the_numbers_of_the_same_rule() -> None:
    count = 0
    for framework in frameworks():
        for row in table(framework):
            for parameter in row.values():
                if not parameter.counted or parameter.bounds or parameter.layout is None:
                    continue
                if parameter.fan_in or parameter.fan_out:
                    continue
                assert parameter.scheme is not None
                shape, layout = parameter.shape_on(SIZES), parameter.layout_on(SIZES)
                numbers = fans(shape, layout, parameter.scheme.fans)
                words = fan_words(parameter.shape, parameter.layout, parameter.scheme.fans)
                assert tuple(evaluate(str(word), SIZES) for word in words) == numbers, row.name
                count += 1
    assert count > 100


def test_a_vector_has_no_fans() -> None:
    with pytest.raises(LayoutError, match=r"a parameter of the shape \(out\) has no fans"):
        fan_words("out", None, "true")


def test_a_product_of_equal_sizes_has_an_exponent() -> None:
    assert str(Product.of("in") * Product.of("in")) == "in*in"
    assert str(Product.of("in") // Product.of("in")) == "1"
