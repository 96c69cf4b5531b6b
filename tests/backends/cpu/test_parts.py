"""Constants and turned bytes are written in parts, so that an interrupt waits for one of them."""

from typing import Any

import numpy as np
import pytest

from initspec import get
from initspec.backends.cpu import laws, threads

MEMORY: dict[str, Any] = {
    "in order": lambda: np.empty((1000, 40, 50), ">f4"),
    "turned": lambda: np.empty((50, 40, 1000), ">f4").T,
    "every other": lambda: np.empty((1000, 80, 50), ">f4")[:, ::2],
    "backwards": lambda: np.empty((40, 1000, 50), ">f4")[:, ::-1],
    "axes": lambda: np.empty((1000, 50, 40), ">f4").transpose(1, 2, 0),
    "one row": lambda: np.empty((1, 2_000_000), ">f4"),
    "one column": lambda: np.empty((2_000_000, 2), ">f4")[:, :1],
    "small": lambda: np.empty((3, 4), ">f4"),
    "none": lambda: np.empty((0, 4), ">f4"),
    "one number": lambda: np.empty((), ">f4"),
}


@pytest.mark.parametrize("kind", MEMORY)
def test_every_element_is_in_one_part_and_none_is_large(kind: str) -> None:
    out, sizes = MEMORY[kind](), []
    out[...] = 0

    def work(part: Any) -> None:
        part += 1
        sizes.append(part.size)

    laws.in_parts(out, work)
    assert (out == 1).all()
    assert sum(sizes) == out.size
    assert max(sizes, default=0) <= 2 * threads._LARGEST


@pytest.mark.parametrize("kind", MEMORY)
def test_constants_and_foreign_bytes(kind: str) -> None:
    out = MEMORY[kind]()
    get("constant", value=2.5).numpy(out.shape, out=out)
    assert (out == 2.5).all()
    get("normal(std=1.0)").numpy(out.shape, out=out, seed=1, name=kind)
    assert (out == get("normal(std=1.0)").numpy(out.shape, seed=1, name=kind)).all()


def test_an_interrupt_comes_between_two_parts() -> None:
    done: list[int] = []

    def work(part: Any) -> None:
        done.append(part.size)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        laws.in_parts(np.empty(2**26, np.uint8), work)
    assert sum(done) < 2**25
