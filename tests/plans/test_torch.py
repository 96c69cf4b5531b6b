"""Plans on PyTorch's modules: every tensor once, in place, on the meta device, whatever wraps it."""

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

import initspec
from initspec import SpecError, get, initialise


def plan(*rules: dict[str, Any], **fields: Any) -> initspec.Plan:
    return initspec.plan({"plan": "p", "rule": list(rules), **fields})


RULES = (
    {"ndim": 2, "law": "normal(std=0.5)"},
    {"ndim": 1, "law": "constant(value=0.25)"},
)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 8)
        self.body = nn.Linear(8, 8)
        self.head = nn.Linear(8, 12, bias=False)
        self.head.weight = self.embed.weight


TIE = [{"same": ["embed.weight", "head.weight"]}]


def test_values_are_those_of_the_name_and_the_layout() -> None:
    model = Tied()
    ledger = plan(*RULES, tie=TIE).fill(model, seed=7)
    assert [row.name for row in ledger] == ["embed.weight", "body.weight", "body.bias"]
    assert ledger["head.weight"] is ledger["embed.weight"]
    for name, layout in (("embed.weight", "vo"), ("body.weight", "oi")):
        parameter = model.get_parameter(name)
        drawn = get("normal(std=0.5)").torch(parameter.shape, seed=7, name=name, layout=layout)
        assert torch.equal(parameter, drawn)
    assert model.head.weight is model.embed.weight
    assert (model.body.bias == 0.25).all()
    assert all(p.requires_grad and p.grad is None and p.is_leaf for p in model.parameters())


def test_ties_that_are_not_said_and_ties_that_are_not_there() -> None:
    with pytest.raises(SpecError, match=r"one tensor in this model.*\[\[tie\]\]"):
        plan(*RULES).on(Tied())
    model = Tied()
    model.head.weight = nn.Parameter(torch.zeros(12, 8))
    with pytest.raises(SpecError, match="in this model they are two"):
        plan(*RULES, tie=TIE).on(model)
    optional = [{**TIE[0], "optional": True}]
    assert len(plan(*RULES, tie=optional).on(model)) == 4


def test_the_meta_device_is_left_and_ties_stay() -> None:
    with torch.device("meta"):
        model = Tied()
    made = plan(*RULES, tie=TIE)
    assert len(made.on(model)) == 3
    with pytest.raises(SpecError, match='device="cpu"'):
        made.fill(model, seed=7)
    assert model.body.weight.is_meta
    made.fill(model, seed=7, device="cpu")
    real = Tied()
    made.fill(real, seed=7)
    assert model.head.weight is model.embed.weight
    for name, value in real.state_dict().items():
        assert torch.equal(value, model.state_dict()[name])


def test_a_buffer_on_the_meta_device_needs_a_rule() -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    model[1].num_batches_tracked = torch.tensor(0)
    with pytest.raises(SpecError, match=r"no rule fills them: 1.running_mean, 1.running_var"):
        plan(*RULES).fill(model, seed=0, device="cpu")
    assert model[0].weight.is_meta
    buffers = {"param": "running_*", "buffers": True, "law": "ones"}
    plan(*RULES, buffers).fill(model, seed=0, device="cpu")
    assert (model[1].running_var == 1).all()


def test_nothing_is_written_where_anything_is_refused() -> None:
    model = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)})
    model.b.weight = nn.Parameter(torch.zeros(4).expand(4, 4))  # type: ignore[union-attr]
    before = copy.deepcopy(model.a.weight)  # type: ignore[union-attr]
    with pytest.raises(SpecError, match=r"b\.weight.*share memory"):
        plan(*RULES).fill(model, seed=0)
    assert torch.equal(model.a.weight, before)  # type: ignore[union-attr]


def drawn(shape: tuple[int, ...], name: str, layout: str = "oi") -> Any:
    return get("normal(std=0.5)").torch(shape, seed=3, name=name, layout=layout)


@pytest.mark.parametrize("norm", [weight_norm, parametrizations.weight_norm])
def test_the_effective_weight_is_the_drawn_one(norm: Any) -> None:
    model = nn.Sequential(norm(nn.Linear(6, 4)))
    ledger = plan(*RULES).fill(model, seed=3)
    assert [row.name for row in ledger] == ["0.bias", "0.weight"]
    torch.testing.assert_close(model[0].weight, drawn((4, 6), "0.weight"))
    out = model(torch.eye(6))
    torch.testing.assert_close(out - 0.25, drawn((4, 6), "0.weight").T)


def test_an_orthogonal_weight_and_a_spectral_norm() -> None:
    model = nn.Sequential(
        parametrizations.orthogonal(nn.Linear(4, 4)), spectral_norm(nn.Linear(4, 4))
    )
    rules = ({"match": "0.weight", "law": "orthogonal"}, *RULES)
    plan(*rules).fill(model, seed=3)
    wanted = get("orthogonal").torch((4, 4), seed=3, name="0.weight")
    torch.testing.assert_close(model[0].weight, wanted)
    assert torch.equal(model[1].weight_orig, drawn((4, 4), "1.weight"))


def test_what_is_pruned_or_lazy_is_refused_by_name() -> None:
    pruned = nn.Sequential(prune.random_unstructured(nn.Linear(4, 4), "weight", 0.5))
    with pytest.raises(SpecError, match=r"0\.weight is pruned"):
        plan(*RULES).on(pruned)
    with pytest.raises(SpecError, match=r"0\.weight.*lazy"):
        plan(*RULES).on(nn.Sequential(nn.LazyLinear(4)))


def test_layouts_are_those_of_the_live_layers() -> None:
    model = nn.ModuleDict(
        {
            "grouped": nn.Conv2d(8, 12, (3, 5), groups=4),
            "back": nn.ConvTranspose2d(8, 12, 3),
            "attention": nn.MultiheadAttention(8, 2),
            "cell": nn.LSTM(5, 7),
        }
    )
    ledger = plan({"ndim": 1, "law": "zeros"}, {"match": "**", "law": "he_normal"}).on(model)
    assert {row.name: row.fans for row in ledger if row.fans} == {
        "grouped.weight": (30, 45),
        "back.weight": (72, 108),
        "attention.in_proj_weight": (8, 8),
        "attention.out_proj.weight": (8, 8),
        "cell.weight_ih_l0": (5, 7),
        "cell.weight_hh_l0": (7, 7),
    }


def test_the_layers_own_law_with_a_gain() -> None:
    model = nn.Sequential(nn.Linear(16, 4), nn.Conv1d(8, 4, 3, groups=2))
    ledger = plan({"match": "**", "law": "default(gain=0.5)"}).on(model)
    for row in ledger:
        bound = {"0": 0.25, "1": 12**-0.5}[row.name[0]] / 2
        assert row.law.support == pytest.approx((-bound, bound)), row.name


def test_a_compiled_model_has_the_same_names() -> None:
    model = nn.Sequential(nn.Linear(4, 4))
    plan(*RULES).fill(torch.compile(model), seed=3)
    assert torch.equal(model[0].weight, drawn((4, 4), "0.weight"))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_dtypes(dtype: Any) -> None:
    model = nn.Linear(4, 4).to(dtype)
    plan(*RULES).fill(model, seed=3)
    wanted = get("normal(std=0.5)").torch((4, 4), seed=3, name="weight", dtype=dtype)
    assert torch.equal(model.weight, wanted)


def test_transformers_are_told() -> None:
    model = nn.Sequential(nn.Linear(4, 4))
    model[0]._is_hf_initialized = False
    model[0].weight._is_hf_initialized = True
    plan(*RULES).fill(model, seed=3)
    assert model[0]._is_hf_initialized is True
    assert torch.equal(model[0].weight, drawn((4, 4), "0.weight"))


def test_one_line_for_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.LayerNorm(4), nn.PReLU())
    ledger = initialise(model, "glorot_uniform", seed=0)
    assert capsys.readouterr().out == f"{ledger}\n"
    assert ledger["0.weight"].law.std == 0.02
    assert ledger["1.weight"].law.kind == "uniform"
    assert [(model[i].weight == v).all().item() for i, v in ((2, 1), (3, 0.25))] == [True, True]
    model.extra = nn.Parameter(torch.zeros(3))
    with pytest.raises(SpecError, match=r"extra \(3,\)"):
        initialise(model, seed=0, quiet=True)


def holding(**parameters: Any) -> Any:
    module = nn.Module()
    for name, tensor in parameters.items():
        module.register_parameter(name, nn.Parameter(tensor))
    return module


def test_parameters_that_share_memory_are_refused_and_neighbours_are_not() -> None:
    every = {"match": "**", "law": "normal(std=0.5)"}
    base = torch.zeros(6, 6)
    for first, second in ((base[:4], base[2:]), (base, base), (base[:, :4], base[:, 3:])):
        with pytest.raises(SpecError, match="a and b share memory"):
            plan(every).fill(holding(a=first, b=second), seed=0)
        assert not base.any()
    halves = holding(a=base[:, :3], b=base[:, 3:])
    plan(every).fill(halves, seed=3)
    for name in "ab":
        wanted = get("normal(std=0.5)").torch((6, 3), seed=3, name=name)
        assert torch.equal(getattr(halves, name), wanted)


def test_a_parametrization_without_an_inverse_is_refused_before_anything_is_written() -> None:
    class Twice(nn.Module):
        def forward(self, value: Any) -> Any:
            return 2 * value

    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    nn.utils.parametrize.register_parametrization(model[1], "weight", Twice())
    before = model[0].weight.clone()
    with pytest.raises(
        SpecError, match=r"1\.weight: its parametrization Twice has no right_inverse"
    ):
        plan(*RULES).fill(model, seed=0)
    assert torch.equal(model[0].weight, before)


def test_looking_at_a_spectral_norm_does_not_change_it() -> None:
    model = parametrizations.spectral_norm(nn.Linear(4, 4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    plan(*RULES).on(model)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("device", ["nosuch", "meta", 1.5])
def test_a_device_that_is_none(device: Any) -> None:
    with pytest.raises(SpecError, match="device is where the values are made"):
        plan(*RULES).fill(nn.Linear(2, 2, device="meta"), seed=0, device=device)


COUNTED = (
    {"kind": "_BatchNorm", "law": "ones"},
    {"match": "**.running_var", "buffers": True, "law": "ones"},
    {"match": "**.running_mean", "buffers": True, "law": "zeros"},
)


def test_a_counter_of_whole_numbers_is_filled_by_a_constant() -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.BatchNorm2d(3))
    counter = {"match": "**.num_batches_tracked", "buffers": True}
    for law, value in (("zeros", 0), ("constant(value=7)", 7)):
        plan(*COUNTED, {**counter, "law": law}).fill(model, seed=0, device="cpu")
        assert model[0].num_batches_tracked.dtype == torch.int64
        assert model[0].num_batches_tracked == value


@pytest.mark.parametrize("law", ["normal(std=0.02)", "constant(value=0.5)", "uniform"])
def test_whole_numbers_are_not_drawn(law: str) -> None:
    model = nn.Sequential(nn.BatchNorm2d(3))
    counter = {"match": "**.num_batches_tracked", "buffers": True, "law": law}
    with pytest.raises(SpecError, match=r"num_batches_tracked: it holds whole numbers .*int64"):
        plan(*COUNTED, counter).fill(model, seed=0)
    assert model[0].num_batches_tracked == 0
    assert model[0].weight.detach().eq(1).all()


def test_whole_numbers_in_a_part_of_a_tensor_are_filled_by_a_constant() -> None:
    model = nn.Module()
    model.register_buffer("places", torch.zeros(4, dtype=torch.int32))
    model.register_buffer("mask", torch.zeros(2, dtype=torch.bool))
    names = [{"here": "places", "axis": 0, "to": ["low", "high"]}]
    rules = [{"match": name, "buffers": True, "law": "ones"} for name in ("high", "mask")]
    rules += [{"match": "low", "buffers": True, "law": "zeros"}]
    plan(*rules, name=names).fill(model, seed=0)
    assert model.places.tolist() == [0, 0, 1, 1]
    assert model.mask.tolist() == [True, True]
