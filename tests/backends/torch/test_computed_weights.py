"""A computed weight is refused, with or without its history; what is not computed is filled."""

import copy
import gc
import pickle
import subprocess
import sys
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from initspec import SpecError, computed_weights, get
from initspec.backends.chance import silence

HE = get("he_normal")

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")


class Twice(nn.Module):
    def forward(self, weight: Any) -> Any:
        return 2 * weight


class Itself(nn.Module):
    def forward(self, weight: Any) -> Any:
        return weight


class Turned(nn.Module):
    def forward(self, weight: Any) -> Any:
        return weight.T


def _own(part: nn.Module) -> Any:
    def wrap(layer: nn.Module) -> nn.Module:
        parametrize.register_parametrization(layer, "weight", part)
        return layer

    return wrap


def _pruned(layer: nn.Module) -> nn.Module:
    prune.l1_unstructured(layer, "weight", amount=2)
    return prune.random_unstructured(layer, "weight", amount=1)


#: Ways to compute a weight, and what the refusal says.
WAYS: dict[str, tuple[Any, str]] = {
    "own": (_own(Twice()), r"fill module\.parametrizations\.weight\.original\."),
    "weight_norm": (parametrizations.weight_norm, r"original0, .*original1.*assign module\.weight"),
    "spectral_norm": (parametrizations.spectral_norm, r"fill .*parametrizations\.weight\.original"),
    "orthogonal": (parametrizations.orthogonal, r"parametrizations\.weight\.original"),
    "old weight_norm": (nn.utils.weight_norm, r"weight_g, module\.weight_v.*before weight_norm"),
    "old spectral_norm": (nn.utils.spectral_norm, r"fill module\.weight_orig\."),
    "pruned": (_pruned, r"fill module\.weight_orig\."),
}
VIEWS: dict[str, Any] = {
    "itself": lambda weight: weight,
    "data": lambda weight: weight.data,
    "detached": lambda weight: weight.detach(),
    "row": lambda weight: weight.data[1:3],
    "turned": lambda weight: weight.detach().T,
}


def _made(way: str, frozen: bool) -> nn.Module:
    layer = WAYS[way][0](nn.Linear(4, 4))
    if frozen:
        layer.requires_grad_(False)
    with torch.no_grad():
        layer(torch.ones(1, 4))  # the hooks of old compute the weight before a forward
    return layer  # type: ignore[no-any-return]


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("way", WAYS)
def test_a_computed_weight_is_refused(way: str, view: str, frozen: bool, grad: bool) -> None:
    layer = _made(way, frozen)
    with torch.set_grad_enabled(grad):
        tensor = VIEWS[view](layer.weight)
        before = tensor.detach().clone()
        with pytest.raises(SpecError, match=WAYS[way][1]):
            HE.torch_(tensor, seed=1)
        assert torch.equal(tensor, before)


@pytest.mark.parametrize("way", WAYS)
def test_a_module_says_what_its_weight_is_computed_from(way: str) -> None:
    with pytest.raises(SpecError, match=r"not a module\. The weight of this .*" + WAYS[way][1]):
        HE.torch_(_made(way, frozen=False))


def test_cached_weights_are_refused_too() -> None:
    layer = _made("weight_norm", frozen=True)
    with parametrize.cached(), pytest.raises(SpecError, match="would be lost"):
        HE.torch_(layer.weight)


@pytest.fixture(autouse=True)
def _no_notes() -> Any:
    with silence():
        yield


def _filled(tensor: Any) -> bool:
    HE.torch_(tensor, seed=1)
    return torch.equal(tensor, HE.torch(tuple(tensor.shape), seed=1))


@pytest.mark.parametrize("part", [Itself(), Turned()], ids=["itself", "turned"])
def test_the_memory_of_a_parameter_is_filled_however_it_comes(part: nn.Module) -> None:
    layer = _own(part)(nn.Linear(4, 4))
    with torch.no_grad():
        assert _filled(layer.weight)
        assert _filled(layer.weight.data)
    assert _filled(layer.parametrizations.weight.original)
    assert torch.equal(part(layer.parametrizations.weight.original), layer.weight)


def test_the_old_spectral_norm_shows_its_parameter_before_the_first_forward() -> None:
    layer = nn.utils.spectral_norm(nn.Linear(4, 4))
    assert _filled(layer.weight)
    assert torch.equal(layer.weight, layer.weight_orig)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(
    ("way", "end"),
    [
        ("own", lambda layer: parametrize.remove_parametrizations(layer, "weight")),
        ("weight_norm", lambda layer: parametrize.remove_parametrizations(layer, "weight")),
        ("spectral_norm", lambda layer: parametrize.remove_parametrizations(layer, "weight")),
        ("old weight_norm", nn.utils.remove_weight_norm),
        ("old spectral_norm", nn.utils.remove_spectral_norm),
        ("pruned", lambda layer: prune.remove(layer, "weight")),
    ],
)
def test_a_weight_that_is_computed_no_more_is_filled(way: str, end: Any, frozen: bool) -> None:
    layer = _made(way, frozen)
    end(layer)
    assert _filled(layer.weight)
    assert _filled(layer.weight.data)


def test_copies_are_filled_and_nothing_is_kept_alive() -> None:
    layer = _made("weight_norm", frozen=True)
    weight = layer.weight
    assert _filled(weight.clone())
    assert _filled(copy.deepcopy(weight))
    assert _filled(pickle.loads(pickle.dumps(weight)))
    assert _filled(nn.Parameter(weight.clone()).data)
    copied = copy.deepcopy(layer)
    with pytest.raises(SpecError, match="would be lost"):
        HE.torch_(copied.weight)
    del layer, copied
    gc.collect()
    assert _filled(weight)  # of a module that is gone, it is a tensor as any other


@pytest.mark.parametrize("way", WAYS)
def test_the_methods_compute_what_they_did(way: str) -> None:
    torch.manual_seed(3)
    layer = _made(way, frozen=False)
    layer.eval()
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    x = torch.ones(2, 4)
    assert torch.allclose(compiled(x), layer(x))
    assert torch.func.vmap(layer)(x[None]).shape == (1, 2, 4)
    parameters = dict(layer.named_parameters())
    gradient = torch.func.grad(lambda p: torch.func.functional_call(layer, p, (x,)).sum())
    assert set(gradient(parameters)) == set(parameters)


def test_it_is_installed_once_and_by_the_first_use() -> None:
    computed_weights.install()
    forward = parametrize.ParametrizationList.forward
    computed_weights.install()
    assert parametrize.ParametrizationList.forward is forward
    program = """
import torch, initspec
from torch.nn.utils.parametrizations import weight_norm
import torch.nn.utils.parametrize as p
before = p.ParametrizationList.forward
layer = weight_norm(torch.nn.Linear(4, 3))
assert p.ParametrizationList.forward is before
he = initspec.get("he_normal")
with torch.no_grad():
    try:
        he.torch_(layer.weight)
    except initspec.SpecError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "assign module.weight" in done.stdout, done.stderr
