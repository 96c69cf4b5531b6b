"""The command ``initspec fans``."""

from __future__ import annotations

from typing import Any

from .answer import Answer
from .arguments import shape_argument


def count_fans(args: Any) -> Answer:
    from ..spec.layout import Layout, fans

    shape = shape_argument(args.shape)
    layout = Layout.of(args.layout, len(shape))
    if args.rule is not None:
        return _fans_by(args.rule, shape, layout)
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
    return Answer(data, lines)


def _fans_by(rule: str, shape: tuple[int, ...], layout: Any) -> Answer:
    from ..spec.layout import fans
    from .show import fan_rule

    found = fans(shape, layout, rule)
    data = {"shape": shape, "layout": str(layout), "rule": rule, **found._asdict()}
    lines = [f"shape {shape}, layout {layout}", f"rule     {fan_rule(rule)}"]
    return Answer(data, [*lines, *(f"{k:8} {v:g}" for k, v in found._asdict().items())])
