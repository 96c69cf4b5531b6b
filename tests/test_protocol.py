"""The contract of a backend, and what the door asks for."""

import re
import weakref
from pathlib import Path

import pytest

from initspec import initializer, plugins
from initspec.protocol import Backend

ROOT = Path(__file__).parents[1]


def contract() -> set[str]:
    methods = {name for name, value in vars(Backend).items() if callable(value)}
    return {name for name in methods | set(Backend.__annotations__) if not name.startswith("_")}


def test_the_door_asks_for_the_whole_contract() -> None:
    assert set(plugins.MEMBERS) == contract()


def test_every_member_of_the_contract_says_its_law() -> None:
    for name in contract() - set(Backend.__annotations__):
        assert "Law: " in (getattr(Backend, name).__doc__ or ""), name


@pytest.mark.parametrize("name", ["numpy", "torch", "tensorflow", "jax"])
def test_initializers_can_be_referred_to_weakly(name: str) -> None:
    """As caches of frameworks do: ``tf.function`` holds what it traces so."""
    pytest.importorskip(name)
    init = initializer("he_normal", backend=name, seed=3)
    assert weakref.ref(init)() is init
    assert repr(init).startswith(type(init).__name__)


@pytest.mark.parametrize("folder", ["conformance", "initspec/commands", "initspec/files"])
def test_nobody_asks_a_backend_by_name_for_more(folder: str) -> None:
    """Names that a program binds to ``plugins.backend(...)``, and what it takes of them."""
    for path in (ROOT / folder).rglob("*.py"):
        text = path.read_text("utf-8")
        names = re.findall(r"(\w+) = (?:plugins\.)?backend\([^)]*\)\n", text)
        asked = {word for name in names for word in re.findall(rf"\b{name}\.(\w+)", text)}
        asked |= set(re.findall(r"\bbackend\([^()]*\)\.(\w+)", text))
        assert asked <= contract(), path


def test_numpy_is_one() -> None:
    assert isinstance(plugins.backend("numpy"), Backend)
