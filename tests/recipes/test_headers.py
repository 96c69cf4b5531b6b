"""A recipe gives the same whether the live model is there or names and shapes alone."""

from __future__ import annotations

import pytest

import initspec
from initspec import LayoutError
from initspec.plans.model import Shapes
from initspec.plans.recipes import names
from initspec.plans.resolve import resolved
from initspec.stream.placement import Placement
from recipes.evidence import read_shapes


def drawn(ledger):
    """What decides each parameter's values: its name, its law, and the order of its axes."""
    found = {}
    for row in ledger:
        if not row.parameter.buffer and row.law is not None:
            shape = row.parameter.shape
            order = Placement.of(shape, row.layout) if len(shape) > 1 and row.law.std else None
            found[row.name] = (row.law, order)
    return found


def needs_layers(plan):
    """Whether a plan asks for what the layers draw by themselves, or for their kinds."""
    return any((rule.law or "").startswith("default") or rule.kind for rule in plan.whole.rules)


#: Recipes with tensors whose axes neither the name nor a rule tells: groups, tokens, gates. Their
#: laws are the same without the model, and the order of their values is not.
LIVE = {
    *("allennlp/lstm", "hf/clip", "hf/vit", "meta/dit"),
    *("pyg/gat", "stylegan2", "timm/convnext"),
}

RECIPES = [
    pytest.param(name, marks=pytest.mark.xfail(strict=True, reason="the axes are not told"))
    if name in LIVE
    else name
    for name in names()
    if not needs_layers(initspec.plan(name))
]


@pytest.mark.parametrize("name", RECIPES)
def test_names_and_shapes_are_enough(name):
    parameters, symbols = read_shapes(name)
    plan = initspec.plan(name)
    live = drawn(resolved(plan, parameters, symbols))
    held = Shapes({one.path: one.held or one.shape for one in parameters if not one.buffer})
    try:
        found = drawn(resolved(plan, held.parameters(), symbols))
    except LayoutError as error:  # the fans of a convolution, which a header does not tell
        pytest.skip(f"it needs the layers themselves, and says so: {error}")
    different = {key: (found[key], live[key]) for key in live if found[key] != live[key]}
    assert not different, "give the rule the layout: 'vo' of an embedding, 'io' of a Conv1D"


def test_hugging_face_gpt2_in_a_file_is_as_in_memory():
    shapes = {"h.0.attn.c_attn.weight": (8, 24), "h.0.attn.c_proj.weight": (8, 8)}
    shapes |= {"wte.weight": (50, 8), "wpe.weight": (16, 8), "h.0.ln_1.weight": (8,)}
    shapes |= {"h.0.ln_1.bias": (8,)}
    ledger = initspec.plan("hf/gpt2").on(shapes)
    assert str(ledger["h.0.attn.c_attn.weight"].layout) == "io"


def test_experts_packed_in_memory_are_those_of_the_file():
    there = {
        "model.embed_tokens.weight": (50, 8),
        "model.norm.weight": (8,),
        "lm_head.weight": (50, 8),
    }
    packed, apart = dict(there), dict(there)
    layer = "model.layers.0"
    for shapes in (packed, apart):
        shapes[f"{layer}.self_attn.q_proj.weight"] = (8, 8)
    packed[f"{layer}.mlp.gate.weight"] = (4, 8)
    packed[f"{layer}.mlp.experts.gate_up_proj"] = (4, 2 * 6, 8)
    packed[f"{layer}.mlp.experts.down_proj"] = (4, 8, 6)
    apart[f"{layer}.block_sparse_moe.gate.weight"] = (4, 8)
    for expert in range(4):
        prefix = f"{layer}.block_sparse_moe.experts.{expert}"
        apart |= {f"{prefix}.w1.weight": (6, 8), f"{prefix}.w3.weight": (6, 8)}
        apart[f"{prefix}.w2.weight"] = (8, 6)
    plan = initspec.plan("hf/mixtral")
    assert drawn(plan.on(packed)) == drawn(plan.on(apart))


def test_gpt2_of_openai_is_named_as_hugging_face_names_it():
    parameters, symbols = read_shapes("openai/gpt2")
    plan = initspec.plan("openai/gpt2")
    here, _ = read_shapes("hf/gpt2")
    there = drawn(resolved(plan, here, symbols))
    assert drawn(resolved(plan, parameters, symbols)) == there


def test_layers_scanned_are_layers_one_by_one():
    parameters, symbols = read_shapes("maxtext/llama")
    apart = {}
    for one in parameters:
        head, within, rest = one.path.partition(".layers.")
        if within:
            shape = (one.shape[0], *one.shape[2:])
            apart |= {f"{head}.layers_{layer}.{rest}": shape for layer in range(one.shape[1])}
        else:
            apart[one.path] = one.shape
    plan = initspec.plan("maxtext/llama")
    assert drawn(plan.on(apart)) == drawn(resolved(plan, parameters, symbols))
