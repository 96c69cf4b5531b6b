"""A layer's own law, times a gain: whatever the law."""

import pytest

from initspec import Plan, Rule, Scheme, SpecError, Truncation, get
from initspec.plans.layer_law import scaled

LAWS = [
    "normal(std=0.02)",
    "normal(mean=1, std=0.02)",
    "uniform(low=-1, high=2)",
    "truncated_normal(std=1)",
    "truncated_normal@torch(std=1, a=-3, b=2)",
    "constant(value=3)",
    "he_normal",
    "kaiming_uniform@torch",
    "orthogonal(gain=2)",
    "zeros",
]


@pytest.mark.parametrize("text", LAWS)
def test_the_values_are_gain_times_as_large(text):
    plain, half = get(text), scaled(get(text), 0.5)
    law, other = plain.on((8, 6)), half.on((8, 6))
    assert other.std == pytest.approx(law.std / 2)
    assert other.mean == pytest.approx(law.mean / 2)
    assert other.support == pytest.approx([end / 2 for end in law.support])


def test_bounds_that_are_absolute():
    cut = Truncation(-0.1, 0.3, unit="absolute", variance="uncorrected")
    law = scaled(Scheme(distribution="truncated_normal", std=0.2, truncation=cut), 2).on((8, 6))
    assert law.support == pytest.approx((-0.2, 0.6))


def test_a_text_stays_one():
    law = scaled(Scheme(distribution="normal", std="1 / sqrt(fan_in)"), 3).on((16, 4))
    assert law.std == pytest.approx(0.75)


def test_what_takes_no_gain():
    with pytest.raises(SpecError, match="takes no gain"):
        scaled(get([[1.0]]), 2)


def test_the_default_of_live_layers_with_a_gain():
    torch = pytest.importorskip("torch")
    model = torch.nn.ModuleDict(
        {"fc": torch.nn.Linear(64, 96), "e": torch.nn.Embedding(50, 8), "n": torch.nn.LayerNorm(8)}
    )
    plain, half = (
        Plan(name="p", rules=(Rule(match="**", law=law),)).on(model)
        for law in ("default", "default(gain=0.5)")
    )
    assert [row.law.std for row in half] == pytest.approx([row.law.std / 2 for row in plain])
    assert [row.law.mean for row in half] == pytest.approx([row.law.mean / 2 for row in plain])
