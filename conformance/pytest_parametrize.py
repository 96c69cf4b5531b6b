"""``parametrize``: one test for each scheme that a target claims to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import SpecError
from ..plugins import available
from ..readings.registry import schemes
from .targets.claims import claimed


def parametrize(target: Any, claims: Any = None) -> Any:
    """A mark for a test that asks for ``conformance_check``."""
    import pytest

    params = [
        pytest.param((initializer, scheme, options), id=str(scheme), marks=pytest.mark.initspec)
        for initializer, scheme, options in listed(target, claims)
    ]
    if not params:
        raise SpecError("parametrize has no scheme to check: nothing is claimed.")
    return pytest.mark.parametrize("conformance_check", params, indirect=True)


def listed(target: Any, claims: Any) -> Iterator[tuple[Any, Any, Mapping[str, Any]]]:
    """Every claim: what makes the weights, the scheme, and the options of the check."""
    if claims is None:
        for scheme, initializer in _table(target):
            claimed(scheme)
            yield initializer, scheme, {}
        return
    if isinstance(claims, str):
        claims = [claims]
    if not isinstance(claims, Iterable):
        raise SpecError(f"claims are names of schemes, or a mapping of them, not {claims!r}.")
    for scheme in claims:
        claimed(scheme)
        yield target, scheme, dict(claims[scheme]) if isinstance(claims, Mapping) else {}


def _table(target: Any) -> Iterable[tuple[str, Any]]:
    """Schemes and what claims to be each: a mapping says so, and a backend claims all of them."""
    if isinstance(target, Mapping):
        return target.items()
    if not isinstance(target, str):
        raise SpecError(
            "parametrize takes a mapping of schemes to initializers, or a target and the "
            f"schemes that it claims to be, not {target!r} alone."
        )
    if target in available():
        return ((name, target) for name in schemes)
    from .targets.resolve import resolve_table

    return resolve_table(target).items()
