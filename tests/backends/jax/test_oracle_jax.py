"""JAX's own bits are an independent oracle of the stream's words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initspec import stream
from initspec.backends.cpu import fill as cpu_fill
from initspec.spec.layout import Layout
from initspec.stream.canonical_order import blocks

jax = pytest.importorskip("jax")

WORD = st.integers(0, 2**32 - 1)
INDEX = st.one_of(st.integers(0, 2**64 - 1), st.integers(2**32 - 2, 2**32 + 2))


def wrapped(key):
    return jax.random.wrap_key_data(np.array(key, np.uint32), impl="threefry2x32")


@settings(deadline=None, max_examples=25)
@given(WORD, WORD, st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_words_are_random_bits(high, low, shape):
    with jax.threefry_partitionable(True):
        wanted = jax.random.bits(wrapped((high, low)), tuple(shape), "uint32")
    out = np.empty(shape, np.uint32)
    found = blocks(tuple(shape), Layout.of(None, len(shape)))
    cpu_fill.fill(out, "uint32", found, (high, low), None)
    assert (out == np.asarray(wanted)).all()


@settings(deadline=None, max_examples=50)
@given(WORD, WORD, st.lists(INDEX, min_size=4, max_size=4))
def test_words_of_any_index(high, low, index):
    from jax.extend.random import threefry_2x32

    key = np.array([high, low], np.uint32)
    counter = np.array([i >> 32 for i in index] + [i & 0xFFFFFFFF for i in index], np.uint32)
    halves = np.asarray(threefry_2x32(key, counter)).reshape(2, -1)
    found = stream.words((high, low), np.array(index, np.uint64))
    assert (found == halves[0] ^ halves[1]).all()


@settings(deadline=None, max_examples=25)
@given(WORD, WORD, WORD)
def test_folding_is_fold_in(high, low, data):
    wanted = jax.random.key_data(jax.random.fold_in(wrapped((high, low)), data))
    assert stream.fold_in((high, low), data) == tuple(np.asarray(wanted).tolist())


@settings(deadline=None, max_examples=25)
@given(WORD)
def test_a_seed_is_a_key(seed):
    wanted = jax.random.key_data(jax.random.key(np.uint32(seed)))
    assert stream.key_from_seed(seed) == tuple(np.asarray(wanted).tolist())
