"""Generated PyTorch is run, and held against the spec."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")

import torch
from generated import SCHEMES, chance

import initspec
from initspec.spec.distribution import Normal, TruncatedNormal, Uniform


def executed(source: str, shape: tuple[int, ...]) -> torch.Tensor:
    torch.manual_seed(3)
    weight = torch.empty(shape)
    exec(source, {"torch": torch, "weight": weight})
    return weight


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize(("shape", "layout"), [((200, 300), "oi"), ((48, 36, 5, 7), "oihw")])
@pytest.mark.parametrize("given", [False, True], ids=["for any shape", "for this shape"])
def test_elements(name: str, shape: tuple[int, ...], layout: str, given: bool) -> None:
    law = initspec.get(name).on(shape, layout)
    assert isinstance(law, (Normal, TruncatedNormal, Uniform))
    found = initspec.generate(name, "torch", *((shape, layout) if given else ()))
    values = executed(found.source, shape).double().numpy().ravel()
    assert chance(values, law) > 1e-6
    assert values.std() == pytest.approx(law.std, rel=0.03)


def test_a_wrong_text_would_be_seen() -> None:
    law = initspec.get("he_normal").on((200, 300), "oi")
    source = initspec.generate("he_normal@torch", "torch").source
    values = executed(source, (200, 300)).double().numpy().ravel()
    assert chance(values, law) < 1e-9


@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_structure(gain: float) -> None:
    found = initspec.generate(f"orthogonal(gain={gain})", "torch")
    weight = executed(found.source, (12, 20)).double()
    assert torch.allclose(weight @ weight.T, gain**2 * torch.eye(12).double(), atol=1e-5)
    for name in ("zeros", "ones", "constant(value=2.5)", "identity"):
        scheme = initspec.get(name)
        text = initspec.generate(name, "torch").source
        assert torch.equal(executed(text, (6, 9)), scheme.torch((6, 9)))
    text = initspec.generate("dirac(groups=2)", "torch").source
    ours = initspec.get("dirac").torch((8, 4, 3, 3), layout="oihw, groups=2")
    assert torch.equal(executed(text, (8, 4, 3, 3)), ours)


@pytest.mark.parametrize("name", ["sparse@torch(sparsity=0.3)", "sparse(sparsity=0.3)"])
def test_sparse(name: str) -> None:
    """One call for zeros by input units; the transposed weight for zeros by output units."""
    found = initspec.generate(name, "torch")
    assert found.call is (name == "sparse@torch(sparsity=0.3)")
    zeros = executed(found.source, (40, 24)) == 0
    ours = initspec.get(name).torch((40, 24), seed=0) == 0
    for axis in (0, 1):
        assert (zeros.sum(axis).unique().numel() == 1) is (ours.sum(axis).unique().numel() == 1)
    assert zeros.sum() == ours.sum()
