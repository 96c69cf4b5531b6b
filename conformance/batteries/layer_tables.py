"""Does a layer draw what the table of its framework says?

>>> import numpy as np
>>> from initspec import defaults
>>> rng = np.random.default_rng(0)
>>> row, sizes = defaults("torch", "Linear"), {"in": 24, "out": 56}
>>> def wrong():
...     return {"weight": rng.uniform(-0.3, 0.3, (56, 24)), "bias": np.zeros(56)}
>>> for fault in hold(row, wrong, sizes):
...     print(fault)
weight of torch Linear is not uniform about 0, variance 0.3333333333 / fan_in, limit \
sqrt(3 * variance); fan_in = in: it reaches from -0.299994 to 0.299998
bias of torch Linear is not uniform about 0, variance 0.3333333333 / fan_in, limit \
sqrt(3 * variance); fan_in = in: its variance is 0 times that, p = 0
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...layers.pairs import Pair, added, total
from ...layers.parameter import LayerDefault, Parameter
from ...layers.port import Port
from ...layers.sizes import Sizes
from ...spec.distribution import Distribution
from ...spec.layout import Layout
from ...spec.tensor_laws import Given, Orthogonal
from ..probability import transform

Array = NDArray[Any]

#: The chance that one of the tests refuses a right parameter.
LEVEL = 1e-7


def hold(
    row: LayerDefault,
    make: Callable[[], Mapping[str, Array]],
    sizes: Sizes,
    *,
    on_demand: bool = False,
    at_least: int = 3000,
    most: int = 400,
) -> list[str]:
    """What is wrong with a layer, in one sentence for each fault; an empty list where all is right.

    ``make`` makes the layer anew and gives its parameters by name. It is called until each of
    them has ``at_least`` numbers, and not more than ``most`` times. ``on_demand`` says that it is
    made with options, so that parameters of the table may be missing, and others be there.
    """
    drawn: dict[str, list[Array]] = defaultdict(list)
    for _ in range(most):
        for name, values in make().items():
            drawn[name].append(np.asarray(values))
        if all(_enough(row, name, drawn[name], sizes, at_least) for name in drawn):
            break
    return [*_names(row, list(drawn), on_demand), *_laws(row, drawn, sizes)]


def _enough(row: LayerDefault, name: str, drawn: list[Array], sizes: Sizes, n: int) -> bool:
    if sum(values.size for values in drawn) >= n or name not in row or row[name].required:
        return True
    law = row[name].on(sizes)  # numbers that no chance changes are all told by the first
    return law.variance == 0 or isinstance(law, (Given, Orthogonal))


def _names(row: LayerDefault, names: list[str], on_demand: bool) -> Iterator[str]:
    for name in names:
        if name not in row:
            yield f"{name} of {_title(row)} is missing in the table"
        elif row[name].when and not on_demand:
            yield f"{name} of {_title(row)} is always there, not only when {row[name].when}"
    listed = {id(row[name]) for name in names if name in row}
    for name, parameter in row.items():
        if id(parameter) not in listed and not (parameter.when or on_demand):
            yield f"{name} of the table is missing in {_title(row)}"


def _laws(row: LayerDefault, drawn: Mapping[str, list[Array]], sizes: Sizes) -> Iterator[str]:
    for name, values in drawn.items():
        if name not in row:
            continue
        shape = row[name].shape_on(sizes)
        if values[0].shape != shape:
            yield f"{name} of {_title(row)} has the shape {values[0].shape}, not {shape}"
        elif not row[name].required and (fault := judge(values, row[name], sizes)):
            yield f"{name} of {_title(row)} is not {row[name].formula}: {fault}"


def _title(row: LayerDefault) -> str:
    return f"{row.framework} {row.name}"


def judge(drawn: list[Array], parameter: Parameter, sizes: Sizes) -> str:
    """What is wrong with tensors of one parameter; empty where nothing is.

    Numbers that no chance changes are compared exactly, orthogonal matrices by their Gram matrix,
    and other laws as :func:`off_law` says.
    """
    law = parameter.on(sizes)
    tensors = [np.asarray(values, np.float64) for values in drawn]
    if isinstance(law, Given):
        wanted = law.values.array()
        return "" if all((tensor == wanted).all() for tensor in tensors) else "other numbers"
    if isinstance(law, Orthogonal):
        axes = parameter.drawn_in(sizes)
        off = max(_off_orthogonal(tensor, axes, law) for tensor in tensors)
        return "" if off < 1e-4 else f"its columns are off orthogonal by {off:.2g}"
    numbers = np.concatenate([tensor.ravel() for tensor in tensors])
    return off_law(numbers, law, drawn[0].dtype)


def off_law(numbers: Array, law: Distribution, dtype: Any) -> str:
    """What is wrong with independent numbers of a law, drawn in a type; empty where nothing is.

    A constant is compared exactly. Else Kolmogorov and Smirnov's test, the variance, and the
    largest and the smallest number, which tell a cut from none, each at a level of 1e-7.
    """
    if law.variance == 0:
        wanted = float(np.asarray(law.mean, dtype))
        return "" if (numbers == wanted).all() else f"it holds {numbers.mean():g} on average"
    from scipy import stats

    n, (low, high) = numbers.size, law.support
    slack = 1e-6 * (high - low) if math.isfinite(high - low) else 0.0  # float32's
    if numbers.min() < low - slack or numbers.max() > high + slack:
        return f"it reaches from {numbers.min():.6g} to {numbers.max():.6g}"
    ratio = float(((numbers - law.mean) ** 2).mean()) / law.variance
    score = (ratio - 1) / math.sqrt((law.kurtosis + 2) / n)
    p = min(
        float(stats.kstest(numbers, lambda x: transform.cdf(law, x)).pvalue),
        math.erfc(abs(score) / math.sqrt(2)),
        law.cdf(numbers.max()) ** n,
        (1 - law.cdf(numbers.min())) ** n,
    )
    return "" if p > LEVEL else f"its variance is {ratio:.3g} times that, p = {p:.2g}"


def hold_port(port: Port, drawn: Mapping[str, Array]) -> list[str]:
    """What is wrong with the parameters that a port's code made, one sentence for each fault."""
    faults = []
    for pair in port.pairs:
        for target in pair.targets:
            fault = _off_port(pair, target, port, drawn[target.name])
            if fault:
                faults.append(f"{target.name}: {fault}")
    return faults


def _off_port(pair: Pair, target: Parameter, port: Port, values: Array) -> str:
    source, numbers = pair.source, np.asarray(values, np.float64)
    if source is None:  # of two biases that are added one has the law, and the other is zero
        return "not zero" if target.role == "recurrent_bias" and numbers.any() else ""
    if source.gates:
        order = [port.target.gate_order.find(gate) for gate in port.source.gate_order]
        gates = numbers.reshape(len(order), -1)[order]
        return (
            ""
            if (gates == np.array(source.gates)[:, None]).all()
            else "other numbers for the gates"
        )
    law = source.on(port.sizes)
    if isinstance(law, Orthogonal) and source.scheme is not None:
        axes = target.layout_on(port.sizes)
        axes = replace(axes, stack=1) if source.joint else axes
        matrix = source.scheme.on(numbers.shape, axes)
        assert isinstance(matrix, Orthogonal)
        off = _off_orthogonal(numbers, axes, matrix)
        return "" if off < 1e-4 else f"its columns are off orthogonal by {off:.2g}"
    second = added(port.source, port.target)
    if second is not None and source.role == target.role == "bias":
        law = total(law, second.on(port.sizes))
    return off_law(numbers.ravel(), law, values.dtype)


def _off_orthogonal(tensor: Array, axes: Layout, law: Orthogonal) -> float:
    """The largest entry of ``Q'Q - I`` among the matrices (all axes but out, out)."""
    roles = axes.roles(tensor.shape)
    order = sorted(range(tensor.ndim), key=lambda axis: roles[axis] == "out")
    flat = tensor.transpose(order).reshape(law.rows, law.count, law.columns).swapaxes(0, 1)
    tall = flat if law.rows >= law.columns else flat.swapaxes(1, 2)
    gram = tall.swapaxes(1, 2) @ tall / law.gain**2
    return float(np.abs(gram - np.eye(gram.shape[-1])).max())
