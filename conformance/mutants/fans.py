"""Wrong fans: swapped, with axes counted that are none of theirs, or of a shard."""

from __future__ import annotations

from collections.abc import Iterator

from .fault import average, variance
from .mutant import Mutant
from .rows import CONV, DEPTHWISE, GATES, GROUPED, HEADS, QKV, TRANSPOSED, TRUNCATED, row


def averages() -> Iterator[Mutant]:
    """Fans swapped or averaged wrongly."""
    yield row(
        "fans-swapped-normal",
        TRUNCATED,
        "fan_out in place of fan_in",
        "pytorch#130122; x @ W taken for W @ x; Nielsen, chapter 6",
        variance(lambda fan: 2 / fan.fan_out),
    )
    yield row(
        "fans-swapped-uniform",
        "he_uniform",
        "fan_out in place of fan_in",
        "pytorch#130122",
        variance(lambda fan: 2 / fan.fan_out),
    )
    yield row(
        "integer-average",
        "glorot_uniform",
        "(5 + 4) // 2",
        "integer division in ports from Python 2",
        variance(lambda fan: 1 / (average(fan) // 1)),
        shape=(5, 4),
    )
    yield row(
        "integer-average-normal",
        "glorot_normal@torch",
        "(97 + 40) // 2",
        "integer division in ports from Python 2",
        variance(lambda fan: 1 / (average(fan) // 1)),
        shape=(97, 40),
        tier="deep",
    )


def kernels() -> Iterator[Mutant]:
    """Fans of convolutions."""
    yield row(
        "kernel-forgotten",
        TRUNCATED,
        "the kernel's size is left out of the fans",
        "hand-written convolutions; Chainer",
        variance(lambda fan: 2 / 8),
        **CONV,
    )
    yield row(
        "kernel-left-out-of-fan-out",
        "glorot_uniform",
        "fan_out without the kernel's size",
        "tinygrad glorot_uniform",
        variance(lambda fan: 2 / (fan.fan_in + 38)),
        **CONV,
    )
    yield row(
        "hwio-read-as-oihw",
        TRUNCATED,
        "the axes of a convolution in the other framework's order",
        "ports between frameworks",
        variance(lambda fan: 2 / (7 * 8 * 38)),
        **CONV,
    )
    yield row(
        "transposed-swapped",
        TRUNCATED,
        "the fans of a transposed convolution swapped",
        "tensorflow#31192, pytorch#30079",
        variance(lambda fan: 2 / fan.fan_out),
        **TRANSPOSED,
    )
    yield row(
        "groups-in-fan-out",
        "he_normal(mode='FAN_OUT')",
        "fan_out is not divided by the groups",
        "pytorch#23854, timm#84",
        variance(lambda fan: 2 / (4 * fan.fan_out)),
        **GROUPED,
    )
    yield row(
        "groups-in-fan-in",
        TRUNCATED,
        "fan_in is multiplied by the groups",
        "burn#574; MLX, tinygrad, Paddle",
        variance(lambda fan: 2 / (4 * fan.fan_in)),
        **GROUPED,
    )
    yield row(
        "depthwise-channels-in",
        "lecun_normal",
        "fan_in counts the channels of a depthwise kernel",
        "Keras and tfjs DepthwiseConv2D",
        variance(lambda fan: 1 / (16 * fan.fan_in)),
        **DEPTHWISE,
    )
    yield row(
        "depthwise-channels-glorot",
        "glorot_uniform",
        "2 / ((512 + 2) 9) in place of 2 / (9 + 18) for 512 channels",
        "Keras DepthwiseConv2D's default",
        variance(lambda fan: 2 / (514 * 9)),
        **DEPTHWISE,
    )
    yield row(
        "depthwise-channels-out",
        "he_normal(mode='FAN_OUT')",
        "fan_out counts the channels of a depthwise kernel",
        "torch.nn.init.kaiming_normal_(mode='fan_out')",
        variance(lambda fan: 2 / (64 * fan.fan_out)),
        shape=(64, 1, 3, 3),
        layout="oihw, groups=64",
    )


def stacks() -> Iterator[Mutant]:
    """Fans of fused, batched and sharded matrices."""
    yield row(
        "packed-qkv",
        "glorot_uniform",
        "fan_out counts q, k and v",
        "pytorch#166378; timm's init_weights_vit_jax",
        variance(lambda fan: 2 / (fan.fan_in + 3 * fan.fan_out)),
        **QKV,
    )
    yield row(
        "packed-gates",
        "glorot_uniform",
        "fan_out counts all four gates",
        "Keras LSTM",
        variance(lambda fan: 2 / (fan.fan_in + 4 * fan.fan_out)),
        **GATES,
    )
    yield row(
        "heads-as-kernel",
        "glorot_uniform",
        "an axis of (in, heads, out) is taken for a kernel's",
        "Keras MultiHeadAttention before 3.15",
        variance(lambda fan: 2 / (64 * 8 + 64 * 8)),
        **HEADS,
    )
    yield row(
        "einsum-as-kernel",
        "lecun_normal",
        "an axis of an einsum's kernel is taken for a convolution's",
        "flax.linen.Einsum, flax.nnx.Einsum",
        variance(lambda fan: 1 / (64 * 8)),
        **HEADS,
    )
    yield row(
        "batch-in-fan",
        "lecun_normal",
        "the batch of matrices is counted in fan_in",
        "flax DenseGeneral(batch_dims), nnx.LinearGeneral(batch_axis)",
        variance(lambda fan: 1 / (16 * fan.fan_in)),
        shape=(16, 32, 24),
        layout="bio",
    )
    yield row(
        "places-in-fan",
        "lecun_normal",
        "the output places of a local convolution are counted in fan_in",
        "flax.linen.ConvLocal",
        variance(lambda fan: 1 / (64 * fan.fan_in)),
        shape=(64, 3, 3, 4, 8),
        layout="bhwio",
    )
    yield row(
        "shard-of-columns",
        "glorot_uniform",
        "fan_out is that of one of eight shards",
        "Paddle, tensor-parallel columns",
        variance(lambda fan: 2 / (fan.fan_in + fan.fan_out / 8)),
    )
    yield row(
        "shard-of-rows",
        "glorot_uniform",
        "fan_in is that of one of eight shards",
        "Paddle, tensor-parallel rows",
        variance(lambda fan: 2 / (fan.fan_in / 8 + fan.fan_out)),
    )
