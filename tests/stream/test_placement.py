"""A placement is checked once, and answers for the window of a tensor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initspec.errors import LayoutError, StreamError
from initspec.spec.integer_form import normal, truncated_normal, uniform
from initspec.spec.layout import Layout
from initspec.stream import canonical_order
from initspec.stream.placement import Placement

FUSED = Layout.parse("oi, stack=3")


def test_a_whole_tensor_is_one_value() -> None:
    place = Placement.of((4, 6))
    assert place is Placement.of([4, 6], "io")
    assert place.whole
    assert place.extent == place.shape == (4, 6)
    assert Placement.of((4, 6), out_first=True).layout == Layout("oi")


@given(st.data())
def test_a_window_answers_as_the_canonical_order_does(data: st.DataObject) -> None:
    shape = (data.draw(st.sampled_from([0, 3, 12])), data.draw(st.integers(0, 9)))
    ends = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
    window = tuple(slice(*pair) for pair in ends)
    place = Placement.of(shape, FUSED, window)
    assert place == Placement.of(shape, FUSED).part(window)
    assert hash(place) == hash(Placement(shape, FUSED, window))
    assert place.bounds == tuple(map(tuple, ends))
    assert place.extent == canonical_order.extent(window)
    assert place.blocks == canonical_order.blocks(shape, FUSED, window)
    assert place.whole == (place.extent == shape)


def test_open_bounds_are_written_out() -> None:
    place = Placement.of((4, 6), "io", (slice(1, None), slice(None)))
    assert place.window == (slice(1, 4), slice(0, 6))


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (((2, -1),), LayoutError, "a shape is a tuple of sizes"),
        (((2, 3), "o"), LayoutError, "names 1 axes"),
        (((4, 3), FUSED), LayoutError, "not divisible by 3"),
        (((2, 3), "io", (slice(0, 1),)), StreamError, "one slice for each axis"),
        (((2, 3), "io", (slice(0, 3), slice(0, 3))), StreamError, "lies outside axis 0"),
        (((2, 3), "io", (slice(0, 2, 2), slice(0, 3))), StreamError, "no step"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, sentence) -> None:
    with pytest.raises(error, match=sentence):
        Placement.of(*arguments)


@pytest.mark.parametrize(
    "draw", [uniform(-0.3, 0.9), normal(0.1, 2.0), truncated_normal(0.0, 1.0, -2.0, 2.0)], ids=repr
)
def test_no_product_reaches_the_bound(draw) -> None:
    assert max(abs(draw.lowest), abs(draw.highest), 2**31) * draw.scale < draw.bound
