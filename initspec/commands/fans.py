"""``initspec fans``: the fans of a weight, by the suite's rule and as frameworks count them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .arguments import layout_option, shape_argument
from .command import Answer, Command

if TYPE_CHECKING:
    from ..spec.fan_rules import Shape
    from ..spec.layout import Layout


_RULES = (
    "true, naive, naive_2d, grouped, grouped_1d, torch, tinygrad, no_kernel, last_two or elements"
)


def options(parser: argparse.ArgumentParser) -> None:
    """A shape, its layout and a rule to count by."""
    shape_argument(parser)
    layout_option(parser, "the roles of the axes: oihw, 'torch.Conv2d, groups=4'")
    parser.add_argument("--rule", help=f"count by this rule: {_RULES}")


def answer(args: argparse.Namespace) -> Answer:
    """The fans of the shape, and those of a framework that counts whole axes where they differ."""
    from ..spec.layout import Layout, checked_shape, fans
    from .scheme_in_words import assumed

    shape = checked_shape(args.shape)
    layout = Layout.of(args.layout, len(shape))
    assumption = assumed(args.layout, len(shape))
    if args.rule is not None:
        counted = _by_rule(args.rule, shape, layout)
        return Answer(counted.data, [*counted.lines, *assumption])
    true, naive = fans(shape, layout), fans(shape, layout, "naive")
    data = {
        "shape": shape,
        "layout": str(layout),
        "fan_in": true.fan_in,
        "fan_out": true.fan_out,
        "naive": naive._asdict(),
    }
    lines = [
        f"shape {shape}, layout {layout}",
        f"fan_in   {true.fan_in:g}",
        f"fan_out  {true.fan_out:g}",
    ]
    if naive != true:
        lines.append(
            f"Frameworks that count whole axes say fan_in {naive.fan_in:g}, "
            f"fan_out {naive.fan_out:g}."
        )
    return Answer(data, [*lines, *assumption])


def _by_rule(rule: str, shape: Shape, layout: Layout) -> Answer:
    from ..spec.layout import fans
    from .scheme_in_words import fan_rule

    counted = fans(shape, layout, rule)._asdict()
    data = {"shape": shape, "layout": str(layout), "rule": rule, **counted}
    lines = [f"shape {shape}, layout {layout}", f"rule     {fan_rule(rule)}"]
    return Answer(data, [*lines, *(f"{name:8} {count:g}" for name, count in counted.items())])


COMMAND = Command("fans", "Count the fans of a weight.", options, answer)
