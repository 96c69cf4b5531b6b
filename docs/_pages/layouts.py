"""Layouts: the letters, the words, and the layouts of all layers."""

from __future__ import annotations

from collections.abc import Iterator

from initspec.spec.layer_layouts import document, find, names, stems
from initspec.spec.layout import ROLES, layers

from .markdown import code, page, plain, table, tick, ticks

#: What each role is, for people; a test holds them against the roles that there are.
_MEANING = {
    "in": "an input: what is summed over",
    "out": "an output",
    "spatial": "a tap of the kernel",
    "group": "a channel of a depthwise kernel, each an own group",
    "head": "heads: a part of the in or out axis that follows it",
    "stack": "fused parameters that are independent of one another: q, k and v, or gates",
    "batch": "a batch of weights, such as experts, each by itself",
    "vocabulary": "an input that is looked up, one entry at a time",
}


def pages() -> dict[str, str]:
    return {"layouts.md": _page()}


def _page() -> str:
    by_role: dict[str, list[str]] = {}
    for letter, role in ROLES.items():
        by_role.setdefault(role, []).append(letter)
    parts = [part for stem in stems() for part in _framework(stem)]
    return page(
        "Layouts",
        "A layout says which axis of a tensor plays which role, one letter each: `oihw` is what a "
        "`Conv2d` of PyTorch stores. From it follow the [fans](fans.md), and the order in which "
        "the stream gives a tensor its numbers.",
        "## Letters",
        table(
            ("Letters", "Role", ""),
            [(ticks(letters), role, _MEANING[role]) for role, letters in by_role.items()],
        ),
        "Letters may repeat. Behind them, after a comma, come",
        table(
            ("Word", ""),
            [
                ("`groups=4`", "how many groups the out axis counts; of `transposed`, the in axis"),
                ("`stack=3`", "how many fused parameters the out axis holds"),
                ("`transposed`", "a transposed convolution, whose fans some frameworks swap"),
            ],
        ),
        "Without a layout the usual order is taken: `(spatial..., in, out)`, and in PyTorch's "
        "functions `(out, in, spatial...)`.",
        "## Layers",
        "A layer's name stands for the layout of its weight, and takes the same words: "
        "`torch.Conv2d, groups=4`. Other parameters are named behind it by their role, or by their "
        "path: `keras.SeparableConv2D.pointwise`, `nnx.GRUCell.dense_h`. A layer for any number of "
        "spatial axes, such as `flax.Conv`, has as many as the tensor leaves, and its heads may be "
        "missing. What each parameter draws is [here](layers/index.md).",
        *parts,
        code("$ initspec fans 32 4 3 3 --layout 'torch.Conv2d, groups=4'", "console"),
    )


def _framework(stem: str) -> Iterator[str]:
    """A framework's heading and its names, those with one layout on one line."""
    by_layout: dict[str, list[str]] = {}
    for name in names(stem):
        grouped = find(name).grouped_by_input
        text = f"{find(name).text}, groups=" if grouped else str(layers()[name])
        by_layout.setdefault(text, []).append(f"{name}, groups=" if grouped else name)
    yield f"### {plain(str(document(stem)['title']))}"
    yield table(
        ("Layout", "Write"), [(tick(text), ticks(written)) for text, written in by_layout.items()]
    )
    if any(text.endswith("groups=") for text in by_layout):
        yield (
            "Where it ends in `groups=` the kernel does not say how many input channels there are, "
            "each a group of its own: add their number."
        )
