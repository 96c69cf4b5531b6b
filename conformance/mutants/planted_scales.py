"""The planted mutants: what each gets wrong, and in whose code it was seen."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...spec.fan_rules import Fans
from . import faults as f
from .faults import CUT
from .mutant import Mutant
from .rows import CONV, DEPTHWISE, GATES, GROUPED, HEADS, QKV, TRANSPOSED, TRUNCATED, row


def avg(fan: Fans) -> float:
    """The mean of both fans."""
    return fan.n("FAN_AVG")


def scales() -> Iterator[Mutant]:
    """Wrong formulas of the scale."""
    yield row(
        "truncation-uncorrected",
        TRUNCATED,
        "the variance is not corrected for the truncation",
        "keras#8048, tensorflow#18706, tensorflow#16344, tfjs#8594; Haiku and Sonnet layers",
        f.scaled(CUT),
    )
    yield row(
        "truncation-corrected-twice",
        TRUNCATED,
        "the variance is corrected twice",
        "a formula applied by caller and callee",
        f.scaled(1 / CUT),
    )
    yield row(
        "truncation-1.3",
        TRUNCATED,
        "the parent's variance times 1.3 in place of 1.2924",
        "tf.contrib.layers",
        f.scaled(CUT * math.sqrt(1.3)),
    )
    yield row(
        "truncation-0.88",
        TRUNCATED,
        "the constant 0.8796 rounded to 0.88",
        "hand-written ports",
        f.scaled(CUT / 0.88),
        tier="deep",
    )
    yield row(
        "lecun-for-he",
        TRUNCATED,
        "1/n in place of 2/n",
        "tensorflow#19081; neupy, MLX, Lasagne, LBANN defaults",
        f.variance(lambda fan: 1 / fan.fan_in),
    )
    yield row(
        "glorot-three",
        "glorot_normal",
        "sqrt(3 / (in + out)) in place of sqrt(2 / (in + out))",
        "tflearn#870, tf.contrib's documentation",
        f.variance(lambda fan: 1.5 / avg(fan)),
    )
    yield row(
        "glorot-one",
        "glorot_normal",
        "1 / (in + out) in place of 2 / (in + out)",
        "neupy XavierNormal, DL4J XAVIER_LEGACY",
        f.variance(lambda fan: 0.5 / avg(fan)),
    )
    yield row(
        "glorot-uniform-three",
        "glorot_uniform",
        "the limit sqrt(3 / (in + out)) in place of sqrt(6 / (in + out))",
        "neupy XavierUniform",
        f.scaled(math.sqrt(0.5)),
    )
    yield row(
        "glorot-three-over-average",
        "glorot_normal",
        "3 / average in place of 1 / average",
        "MXNet Xavier('gaussian')",
        f.variance(lambda fan: 3 / avg(fan)),
    )
    yield row(
        "he-average-prelu",
        TRUNCATED,
        "2 / 1.0625 / average in place of 2 / fan_in",
        "MXNet MSRAPrelu()",
        f.variance(lambda fan: 2 / 1.0625 / avg(fan)),
    )
    yield row(
        "glorot-sigmoid",
        "glorot_uniform",
        "four times the limit",
        "DL4J SIGMOID_UNIFORM",
        f.scaled(4),
    )
    yield row(
        "third-over-average",
        "glorot_normal(gain=1.7320508075688772)",
        "1 / (3 n) in place of 3 / n",
        "ARENA #414",
        f.variance(lambda fan: 1 / (3 * avg(fan))),
    )
    yield row(
        "caffe-xavier",
        "glorot_uniform",
        "fan_in in place of the average",
        "Caffe's xavier",
        f.variance(lambda fan: 1 / fan.fan_in),
    )
    yield row(
        "limit-without-root",
        "glorot_uniform",
        "sqrt(6) / (in + out) in place of sqrt(6 / (in + out))",
        "hand-written ports",
        f.variance(lambda fan: 2 / (2 * avg(fan)) ** 2),
    )
    yield row(
        "root-of-part",
        "glorot_normal",
        "sqrt(2 / in + out) in place of sqrt(2 / (in + out))",
        "mlverse/torch#555",
        f.variance(lambda fan: 2 / fan.fan_in + fan.fan_out),
    )
    yield row(
        "sum-of-axes",
        "glorot_uniform",
        "6 over the sum of all axes of a convolution",
        "dynet#659",
        f.variance(lambda fan: 2 / (5 + 7 + 8 + 38)),
        **CONV,
    )
    yield row(
        "variance-as-std",
        TRUNCATED,
        "the variance taken for the standard deviation",
        "DLFS_code#10, mlpack#3651",
        f.std_from(lambda std: std**2),
    )
    yield row(
        "variance-as-std-fixed",
        "normal(std=0.1)",
        "N(0, 0.01) read as a standard deviation of 0.01",
        "PyTorch's and MindSpore's documentation of sparse",
        f.std_from(lambda std: std**2),
    )
    yield row(
        "limit-is-std",
        "he_uniform",
        "the standard deviation taken for the limit: the root of three forgotten",
        "jax#13519, keras#372",
        f.scaled(1 / math.sqrt(3)),
    )
    yield row(
        "std-is-limit",
        "uniform",
        "the limit taken for the standard deviation",
        "the reverse of jax#13519",
        f.scaled(math.sqrt(3)),
    )
    yield row(
        "fans-swapped-normal",
        TRUNCATED,
        "fan_out in place of fan_in",
        "pytorch#130122; x @ W taken for W @ x; Nielsen, chapter 6",
        f.variance(lambda fan: 2 / fan.fan_out),
    )
    yield row(
        "fans-swapped-uniform",
        "he_uniform",
        "fan_out in place of fan_in",
        "pytorch#130122",
        f.variance(lambda fan: 2 / fan.fan_out),
    )
    yield row(
        "integer-average",
        "glorot_uniform",
        "(5 + 4) // 2",
        "integer division in ports from Python 2",
        f.variance(lambda fan: 1 / (avg(fan) // 1)),
        shape=(5, 4),
    )
    yield row(
        "integer-average-normal",
        "glorot_normal@torch",
        "(97 + 40) // 2",
        "integer division in ports from Python 2",
        f.variance(lambda fan: 1 / (avg(fan) // 1)),
        shape=(97, 40),
        tier="deep",
    )
    yield row(
        "kernel-forgotten",
        TRUNCATED,
        "the kernel's size is left out of the fans",
        "hand-written convolutions; Chainer",
        f.variance(lambda fan: 2 / 8),
        **CONV,
    )
    yield row(
        "kernel-left-out-of-fan-out",
        "glorot_uniform",
        "fan_out without the kernel's size",
        "tinygrad glorot_uniform",
        f.variance(lambda fan: 2 / (fan.fan_in + 38)),
        **CONV,
    )
    yield row(
        "hwio-read-as-oihw",
        TRUNCATED,
        "the axes of a convolution in the other framework's order",
        "ports between frameworks",
        f.variance(lambda fan: 2 / (7 * 8 * 38)),
        **CONV,
    )
    yield row(
        "transposed-swapped",
        TRUNCATED,
        "the fans of a transposed convolution swapped",
        "tensorflow#31192, pytorch#30079",
        f.variance(lambda fan: 2 / fan.fan_out),
        **TRANSPOSED,
    )
    yield row(
        "groups-in-fan-out",
        "he_normal(mode='FAN_OUT')",
        "fan_out is not divided by the groups",
        "pytorch#23854, timm#84",
        f.variance(lambda fan: 2 / (4 * fan.fan_out)),
        **GROUPED,
    )
    yield row(
        "groups-in-fan-in",
        TRUNCATED,
        "fan_in is multiplied by the groups",
        "burn#574; MLX, tinygrad, Paddle",
        f.variance(lambda fan: 2 / (4 * fan.fan_in)),
        **GROUPED,
    )
    yield row(
        "depthwise-channels-in",
        "lecun_normal",
        "fan_in counts the channels of a depthwise kernel",
        "Keras and tfjs DepthwiseConv2D",
        f.variance(lambda fan: 1 / (16 * fan.fan_in)),
        **DEPTHWISE,
    )
    yield row(
        "depthwise-channels-glorot",
        "glorot_uniform",
        "2 / ((512 + 2) 9) in place of 2 / (9 + 18) for 512 channels",
        "Keras DepthwiseConv2D's default",
        f.variance(lambda fan: 2 / (514 * 9)),
        **DEPTHWISE,
    )
    yield row(
        "depthwise-channels-out",
        "he_normal(mode='FAN_OUT')",
        "fan_out counts the channels of a depthwise kernel",
        "torch.nn.init.kaiming_normal_(mode='fan_out')",
        f.variance(lambda fan: 2 / (64 * fan.fan_out)),
        shape=(64, 1, 3, 3),
        layout="oihw, groups=64",
    )
    yield row(
        "packed-qkv",
        "glorot_uniform",
        "fan_out counts q, k and v",
        "pytorch#166378; timm's init_weights_vit_jax",
        f.variance(lambda fan: 2 / (fan.fan_in + 3 * fan.fan_out)),
        **QKV,
    )
    yield row(
        "packed-gates",
        "glorot_uniform",
        "fan_out counts all four gates",
        "Keras LSTM",
        f.variance(lambda fan: 2 / (fan.fan_in + 4 * fan.fan_out)),
        **GATES,
    )
    yield row(
        "heads-as-kernel",
        "glorot_uniform",
        "an axis of (in, heads, out) is taken for a kernel's",
        "Keras MultiHeadAttention before 3.15",
        f.variance(lambda fan: 2 / (64 * 8 + 64 * 8)),
        **HEADS,
    )
    yield row(
        "einsum-as-kernel",
        "lecun_normal",
        "an axis of an einsum's kernel is taken for a convolution's",
        "flax.linen.Einsum, flax.nnx.Einsum",
        f.variance(lambda fan: 1 / (64 * 8)),
        **HEADS,
    )
    yield row(
        "batch-in-fan",
        "lecun_normal",
        "the batch of matrices is counted in fan_in",
        "flax DenseGeneral(batch_dims), nnx.LinearGeneral(batch_axis)",
        f.variance(lambda fan: 1 / (16 * fan.fan_in)),
        shape=(16, 32, 24),
        layout="bio",
    )
    yield row(
        "places-in-fan",
        "lecun_normal",
        "the output places of a local convolution are counted in fan_in",
        "flax.linen.ConvLocal",
        f.variance(lambda fan: 1 / (64 * fan.fan_in)),
        shape=(64, 3, 3, 4, 8),
        layout="bhwio",
    )
    yield row(
        "shard-of-columns",
        "glorot_uniform",
        "fan_out is that of one of eight shards",
        "Paddle, tensor-parallel columns",
        f.variance(lambda fan: 2 / (fan.fan_in + fan.fan_out / 8)),
    )
    yield row(
        "shard-of-rows",
        "glorot_uniform",
        "fan_in is that of one of eight shards",
        "Paddle, tensor-parallel rows",
        f.variance(lambda fan: 2 / (fan.fan_in / 8 + fan.fan_out)),
    )
    yield row(
        "slope-ignored",
        "he_normal(nonlinearity='leaky_relu', slope=0.01)",
        "the slope of a leaky rectifier ignored: 5e-5 of the scale",
        "hand-written ports",
        f.variance(lambda fan: 2 / fan.fan_in),
        tier="exact",
    )
    yield row(
        "slope-added",
        TRUNCATED,
        "a slope of 0.01 where there is none",
        "tinygrad kaiming_uniform",
        f.variance(lambda fan: 2 / 1.0001 / fan.fan_in),
        tier="exact",
    )
    yield row(
        "slope-root-five",
        "he_uniform",
        "a = sqrt(5): a sixth of He's variance",
        "torch.nn.Linear's default",
        f.variance(lambda fan: 1 / (3 * fan.fan_in)),
    )
    yield row(
        "slope-times-two",
        "variance_scaling(factor=1.3333333333333333, distribution='uniform')",
        "a factor of two put on the slope and not on the scale",
        "efficient-kan",
        f.variance(lambda fan: 2 / 21 / fan.fan_in),
    )
    yield row(
        "selu-gain",
        "lecun_normal",
        "a gain of 3/4 where self-normalising networks need 1",
        "torch.nn.init.calculate_gain('selu')",
        f.scaled(0.75),
    )
    yield row(
        "complex-doubled",
        "variance_scaling(factor=0.5)",
        "real and imaginary part have the whole variance each",
        "Haiku, complex VarianceScaling",
        f.variance(lambda fan: 1 / fan.fan_in),
    )
    yield row(
        "depth-not-scaled",
        "normal(std=0.0040824829046386)",
        "the residual projections are not divided by sqrt(2 layers)",
        "transformers#47458, GPT-2",
        f.scaled(math.sqrt(24)),
    )
    yield row(
        "width-not-rooted",
        "normal(std=0.00707106781186548)",
        "divided by the width multiplier 8, not by its root",
        "gpt-neox, muP",
        f.scaled(1 / math.sqrt(8)),
    )
    yield row(
        "std-in-bfloat16",
        "he_normal@torch",
        "the standard deviation is computed in bfloat16: off by 1.2e-4",
        "jax.nn.initializers in 16-bit types",
        f.std_from(lambda std: float(f.bfloat16(np.array(std)))),
        shape=(96, 8),
        tier="exact",
    )
    yield row(
        "std-in-float16",
        "variance_scaling(factor=8.6e-5, distribution='normal')",
        "a variance of 1e-6 is computed in float16",
        "jax.nn.initializers in 16-bit types",
        f.std_from(lambda std: math.sqrt(float(np.float16(std**2)))),
        tier="deep",
    )
    yield row(
        "variance-underflows",
        "variance_scaling(factor=8.6e-7)",
        "a variance of 1e-8 is zero in float16",
        "jax.nn.initializers, fan_in of 1e8",
        f.std_from(lambda std: max(math.sqrt(float(np.float16(std**2))), 1e-300)),
        dtype="float16",
    )
