"""Real layers: their fans counted in a forward pass, and their weights' law against the spec."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from initspec import fans, get

torch = pytest.importorskip("torch", reason="the PyTorch backend needs torch")
from torch import nn


class Case(NamedTuple):
    """A layer, its weight and its layout.

    ``run(layer, inputs)`` gives the outputs, ``shapes`` the inputs' shapes, ``one`` a place of
    each input and ``unit`` a place of the output far from the borders. ``parts`` independent
    parameters are fused in the weight, ``used`` of which the forward pass shows.
    """

    layer: Any
    layout: str
    shapes: list[tuple[int, ...]]
    one: tuple[int, ...]
    unit: tuple[int, ...]
    weight: str = "weight"
    run: Callable[..., Any] = lambda layer, *inputs: layer(*inputs)
    used: int = 1
    wrong: bool = False  # whether torch.nn.init counts other fans


def _looked_up(layer: Any, chosen: Any) -> Any:
    """An embedding of the token that is hot."""
    return layer(chosen.argmax().reshape(1, 1))


def _attended(layer: Any, x: Any) -> Any:
    """Self-attention to a sequence of one: the value, whatever the query and the key."""
    return layer(x, x, x)[0]


def _stepped(layer: Any, x: Any) -> Any:
    """One step from a state that is not zero, so that every gate counts."""
    state = torch.linspace(0.1, 0.9, layer.hidden_size).reshape(1, 1, -1)
    return layer(x, (state, state) if isinstance(layer, nn.LSTM) else state)[0]


def _attention() -> Any:
    layer = nn.MultiheadAttention(40, 4, bias=False)
    nn.init.eye_(layer.out_proj.weight)
    return layer


CASES = {
    "Linear": lambda: Case(nn.Linear(90, 40), "torch.Linear", [(1, 90)], (0, 3), (0, 5)),
    "Conv1d": lambda: Case(
        nn.Conv1d(24, 40, 5), "torch.Conv1d", [(1, 24, 15)], (0, 2, 7), (0, 3, 5)
    ),
    "Conv2d": lambda: Case(
        nn.Conv2d(12, 40, (3, 5)), "torch.Conv2d", [(1, 12, 11, 15)], (0, 2, 5, 7), (0, 3, 4, 5)
    ),
    "Conv3d": lambda: Case(
        nn.Conv3d(6, 20, (2, 3, 4)), "torch.Conv3d", [(1, 6, 7, 9, 11)], (0, 2, 3, 4, 5), (0, 3, 2, 2, 2)
    ),
    "Conv2d grouped": lambda: Case(
        nn.Conv2d(16, 48, (3, 5), groups=4), "torch.Conv2d, groups=4", [(1, 16, 11, 15)],
        (0, 2, 5, 7), (0, 3, 4, 5), wrong=True,
    ),
    "Conv2d depthwise": lambda: Case(
        nn.Conv2d(96, 192, (3, 5), groups=96), "torch.Conv2d, groups=96", [(1, 96, 11, 15)],
        (0, 2, 5, 7), (0, 3, 4, 5), wrong=True,
    ),
    "ConvTranspose2d": lambda: Case(
        nn.ConvTranspose2d(16, 40, (3, 5)), "torch.ConvTranspose2d", [(1, 16, 11, 15)],
        (0, 2, 5, 7), (0, 3, 6, 8), wrong=True,
    ),
    "ConvTranspose2d grouped": lambda: Case(
        nn.ConvTranspose2d(16, 48, 3, groups=4), "torch.ConvTranspose2d, groups=4",
        [(1, 16, 11, 11)], (0, 2, 5, 5), (0, 3, 6, 6), wrong=True,
    ),
    "Bilinear": lambda: Case(
        nn.Bilinear(8, 12, 40), "torch.Bilinear", [(1, 8), (1, 12)], (0, 3), (0, 5), wrong=True
    ),
    "Embedding": lambda: Case(
        nn.Embedding(90, 40), "torch.Embedding", [(1, 90)], (0, 3), (0, 0, 5), run=_looked_up,
        wrong=True,
    ),
    "MultiheadAttention": lambda: Case(
        _attention(), "torch.MultiheadAttention", [(1, 1, 40)], (0, 0, 3), (0, 0, 5),
        weight="in_proj_weight", run=_attended, wrong=True,
    ),
    "LSTM input": lambda: Case(
        nn.LSTM(40, 24, bias=False), "torch.LSTM", [(1, 1, 40)], (0, 0, 3), (0, 0, 5),
        weight="weight_ih_l0", run=_stepped, used=4, wrong=True,
    ),
    "GRU input": lambda: Case(
        nn.GRU(40, 24, bias=False), "torch.GRU", [(1, 1, 40)], (0, 0, 3), (0, 0, 5),
        weight="weight_ih_l0", run=_stepped, used=3, wrong=True,
    ),
}  # fmt: skip


def counted(case: Case) -> tuple[float, float]:
    """The fans: the weights that one output depends on, and those that one input meets."""
    weight = dict(case.layer.named_parameters())[case.weight]
    with torch.no_grad():
        for parameter in case.layer.parameters():
            if parameter is weight or case.weight != "in_proj_weight":
                parameter.copy_(torch.rand(parameter.shape) / 8 + 0.1)

    def met(inputs: list[Any], unit: tuple[int, ...] | None) -> int:
        output = case.run(case.layer, *inputs)
        aim = output[unit] if unit is not None else (output * torch.rand(output.shape)).sum()
        return int((torch.autograd.grad(aim, weight)[0] != 0).sum())

    torch.manual_seed(0)
    hot = []
    for shape in case.shapes:
        hot.append(torch.zeros(shape))
        hot[-1][case.one] = 1.0
    dense = [torch.rand(shape) + 0.5 for shape in case.shapes]
    return met(dense, case.unit) / case.used, met(hot, None) / case.used


@pytest.mark.parametrize("kind", CASES)
def test_fans_are_those_of_the_forward_pass(kind: str) -> None:
    case = CASES[kind]()
    weight = dict(case.layer.named_parameters())[case.weight]
    assert tuple(fans(weight.shape, case.layout)) == counted(case)
    theirs = nn.init._calculate_fan_in_and_fan_out(weight)
    assert case.wrong == (theirs != counted(case))


@pytest.mark.parametrize(
    ("spec", "mode"),
    [
        ("he_normal", "FAN_IN"),
        ("he_normal@torch", "FAN_OUT"),
        ("lecun_uniform", "FAN_IN"),
        ("glorot_uniform", "FAN_AVG"),
        ("glorot_normal", "FAN_AVG"),
    ],
)
@pytest.mark.parametrize("kind", CASES)
def test_weights_have_the_law_of_the_counted_fans(kind: str, spec: str, mode: str) -> None:
    case = CASES[kind]()
    fan_in, fan_out = counted(case)
    n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2}[mode]
    scheme = get(spec).replace(mode=mode, fans="true")
    variance = (2.0 if spec.startswith("he") else 1.0) / n
    weight = dict(case.layer.named_parameters())[case.weight]
    assert scheme.torch_(weight, seed=17, name=kind, layout=case.layout) is weight
    law = scheme.on(tuple(weight.shape), case.layout)
    values = weight.detach().double().numpy().ravel()
    assert law.variance == pytest.approx(variance, rel=1e-12)
    low, high = law.support
    assert low <= values.min()
    assert values.max() <= high
    spread = math.sqrt((law.kurtosis + 2) / values.size) * variance
    assert values.var() == pytest.approx(variance, abs=4.5 * spread)
    assert values.mean() == pytest.approx(0, abs=4.5 * math.sqrt(variance / values.size))
    ordered = np.sort(values)
    cdf = np.array([law.cdf(x) for x in ordered])
    steps = np.arange(ordered.size + 1) / ordered.size
    distance = np.maximum(cdf - steps[:-1], steps[1:] - cdf).max()
    assert distance * math.sqrt(ordered.size) < 2.5  # one law in 130 000 by chance


def test_fused_parameters_are_drawn_as_if_they_were_apart() -> None:
    """The gates of an LSTM, stacked, are four matrices one after the other in the stream."""
    layer = nn.LSTM(5, 3)
    get("he_normal").torch_(layer.weight_ih_l0, seed=1, layout="torch.LSTM")
    gates = get("he_normal").numpy((4, 5, 3), seed=1, layout="bio")
    for gate, expected in zip(layer.weight_ih_l0.detach().chunk(4), gates, strict=True):
        assert (gate.T.numpy() == expected).all()
