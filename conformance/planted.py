"""The planted mutants: what each gets wrong, and in whose code it was seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..distribution import Normal, TruncatedNormal, Uniform
from ..layout import Fans
from . import faults as f
from .faults import CUT, Fault
from .mutants import Mutant
from .own import OWN

_CONV: dict[str, Any] = {"shape": (5, 7, 8, 38), "layout": "hwio"}
_GROUPED: dict[str, Any] = {"shape": (48, 4, 3, 3), "layout": "oihw, groups=4"}
_DEPTHWISE: dict[str, Any] = {"shape": (3, 3, 16, 2), "layout": "hwgo"}
_TRANSPOSED: dict[str, Any] = {"shape": (3, 3, 24, 8), "layout": "hwoi, transposed"}
_HEADS: dict[str, Any] = {"shape": (64, 8, 8), "layout": "ino"}
_QKV: dict[str, Any] = {"shape": (96, 32), "layout": "oi, stack=3"}
_GATES: dict[str, Any] = {"shape": (24, 64), "layout": "io, stack=4"}
_SQUARE: dict[str, Any] = {"shape": (24, 24)}
_MATRIX: dict[str, Any] = {"shape": (16, 16)}

_TN, _N, _U = "he_normal", "normal(std=0.02)", "uniform"
_REF = "normal(std=1.0)"


def row(id: str, claim: str, what: str, source: str, make: Fault, **where: Any) -> Mutant:
    """A mutant by place: its name, claim, fault in words, source and maker; then where it shows."""
    return Mutant(id=id, claim=claim, what=what, source=source, make=make, **where)


def avg(fan: Fans) -> float:
    """The mean of both fans."""
    return fan.n("FAN_AVG")


def scales() -> Iterator[Mutant]:
    """Wrong formulas of the scale."""
    yield row(
        "truncation-uncorrected",
        _TN,
        "the variance is not corrected for the truncation",
        "keras#8048, tensorflow#18706, tensorflow#16344, tfjs#8594; Haiku and Sonnet layers",
        f.scaled(CUT),
    )
    yield row(
        "truncation-corrected-twice",
        _TN,
        "the variance is corrected twice",
        "a formula applied by caller and callee",
        f.scaled(1 / CUT),
    )
    yield row(
        "truncation-1.3",
        _TN,
        "the parent's variance times 1.3 in place of 1.2924",
        "tf.contrib.layers",
        f.scaled(CUT * math.sqrt(1.3)),
    )
    yield row(
        "truncation-0.88",
        _TN,
        "the constant 0.8796 rounded to 0.88",
        "hand-written ports",
        f.scaled(CUT / 0.88),
        tier="deep",
    )
    yield row(
        "lecun-for-he",
        _TN,
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
        _TN,
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
        **_CONV,
    )
    yield row(
        "variance-as-std",
        _TN,
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
        _TN,
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
        _TN,
        "the kernel's size is left out of the fans",
        "hand-written convolutions; Chainer",
        f.variance(lambda fan: 2 / 8),
        **_CONV,
    )
    yield row(
        "kernel-left-out-of-fan-out",
        "glorot_uniform",
        "fan_out without the kernel's size",
        "tinygrad glorot_uniform",
        f.variance(lambda fan: 2 / (fan.fan_in + 38)),
        **_CONV,
    )
    yield row(
        "hwio-read-as-oihw",
        _TN,
        "the axes of a convolution in the other framework's order",
        "ports between frameworks",
        f.variance(lambda fan: 2 / (7 * 8 * 38)),
        **_CONV,
    )
    yield row(
        "transposed-swapped",
        _TN,
        "the fans of a transposed convolution swapped",
        "tensorflow#31192, pytorch#30079",
        f.variance(lambda fan: 2 / fan.fan_out),
        **_TRANSPOSED,
    )
    yield row(
        "groups-in-fan-out",
        "he_normal(mode='FAN_OUT')",
        "fan_out is not divided by the groups",
        "pytorch#23854, timm#84",
        f.variance(lambda fan: 2 / (4 * fan.fan_out)),
        **_GROUPED,
    )
    yield row(
        "groups-in-fan-in",
        _TN,
        "fan_in is multiplied by the groups",
        "burn#574; MLX, tinygrad, Paddle",
        f.variance(lambda fan: 2 / (4 * fan.fan_in)),
        **_GROUPED,
    )
    yield row(
        "depthwise-channels-in",
        "lecun_normal",
        "fan_in counts the channels of a depthwise kernel",
        "Keras and tfjs DepthwiseConv2D",
        f.variance(lambda fan: 1 / (16 * fan.fan_in)),
        **_DEPTHWISE,
    )
    yield row(
        "depthwise-channels-glorot",
        "glorot_uniform",
        "2 / ((512 + 2) 9) in place of 2 / (9 + 18) for 512 channels",
        "Keras DepthwiseConv2D's default",
        f.variance(lambda fan: 2 / (514 * 9)),
        **_DEPTHWISE,
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
        **_QKV,
    )
    yield row(
        "packed-gates",
        "glorot_uniform",
        "fan_out counts all four gates",
        "Keras LSTM",
        f.variance(lambda fan: 2 / (fan.fan_in + 4 * fan.fan_out)),
        **_GATES,
    )
    yield row(
        "heads-as-kernel",
        "glorot_uniform",
        "an axis of (in, heads, out) is taken for a kernel's",
        "Keras MultiHeadAttention before 3.15",
        f.variance(lambda fan: 2 / (64 * 8 + 64 * 8)),
        **_HEADS,
    )
    yield row(
        "einsum-as-kernel",
        "lecun_normal",
        "an axis of an einsum's kernel is taken for a convolution's",
        "flax.linen.Einsum, flax.nnx.Einsum",
        f.variance(lambda fan: 1 / (64 * 8)),
        **_HEADS,
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
        _TN,
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


def laws() -> Iterator[Mutant]:
    """Wrong laws at the right scale, or nearly."""

    def cut(at: float) -> Fault:
        one = TruncatedNormal(0, 1, -at, at).std
        return f.instead(lambda law: TruncatedNormal(0, law.std / one, -at, at))

    yield row(
        "clipped", _TN, "clipped at the bounds, not drawn again", "hand-written ports", f.clipped
    )
    yield row(
        "bounds-absolute",
        "truncated_normal(std=0.02)",
        "bounds of -2 and 2 where two standard deviations are meant",
        "timm#1286, foundation-model-stack#289, torch.nn.init.trunc_normal_, Flux lecun_normal",
        f.instead(lambda law: Normal(0, 0.02)),
    )
    yield row(
        "bounds-of-result",
        _TN,
        "cut at three standard deviations, its variance right",
        "hand-written ports",
        cut(3),
    )
    yield row(
        "normal-for-truncated",
        _TN,
        "not truncated, its variance right",
        "torch.nn.init, DL4J VAR_SCALING_NORMAL",
        f.instead(lambda law: Normal(0, law.std)),
    )
    yield row(
        "truncated-for-normal",
        "he_normal@torch",
        "truncated, its variance right",
        "Keras' VarianceScaling(distribution='normal')",
        cut(2),
    )
    yield row(
        "cut-at-three", _REF, "truncated at three, its variance right", "spaCy's thinc", cut(3)
    )
    yield row(
        "cut-at-four",
        _REF,
        "truncated at four standard deviations",
        "look-up tables of the inverse normal",
        f.instead(lambda law: TruncatedNormal(0, 1, -4, 4)),
        tier="deep",
    )
    yield row(
        "uniform-for-truncated",
        _TN,
        "uniform, its variance right",
        "MindSpore VarianceScaling",
        f.instead(lambda law: f.resized(Uniform(-1, 1), law.std)),
    )
    yield row(
        "uniform-for-normal",
        "he_normal@torch",
        "uniform, its variance right",
        "Caffe, DL4J",
        f.instead(lambda law: f.resized(Uniform(-1, 1), law.std)),
    )
    yield row(
        "normal-for-uniform",
        "he_uniform",
        "normal, its variance right",
        "a switch read the wrong way",
        f.instead(lambda law: Normal(0, law.std)),
    )
    yield row(
        "truncated-for-uniform",
        "he_uniform",
        "truncated normal, its variance right",
        "a switch read the wrong way",
        cut(2),
    )
    yield row("half-normal", _TN, "absolute values", "a sign lost", f.half)
    yield row(
        "one-sided-wide",
        _U,
        "on (0, 2 limit) in place of (-limit, limit)",
        "tensorflow#10719",
        f.instead(lambda law: Uniform(0, 2 * law.support[1])),
    )
    yield row(
        "one-sided",
        _U,
        "on (0, limit) in place of (-limit, limit)",
        "jax.nn.initializers.uniform taken for a symmetric one",
        f.instead(lambda law: Uniform(0, law.support[1])),
    )
    yield row("irwin-hall", _REF, "four uniform numbers added", "embedded ports", f.irwin_hall)
    yield row("student", _REF, "tails of ten degrees of freedom", "a wrong law", f.student)
    yield row(
        "mean-shifted",
        _REF,
        "a mean of 0.02 standard deviations",
        "16-bit lattices that take the lower end",
        f.instead(lambda law: Normal(0.02, 1)),
        tier="deep",
    )
    yield row(
        "mean-is-std",
        "normal(mean=0.1, std=0.02)",
        "mean and standard deviation swapped",
        "a call by position",
        f.instead(lambda law: Normal(0.02, 0.1)),
    )
    yield row(
        "radius-of-16-bits",
        _REF,
        "Box and Muller's radius from 16 bits: nothing beyond 4.7",
        "embedded ports, 16-bit generators",
        f.box_muller_16,
        shape=(4096, 4096),
        tier="deep",
    )
    yield row(
        "leaking",
        _TN,
        "4.3e-6 of the values are not truncated",
        "Keras 3 on PyTorch, truncated_normal",
        f.leaking,
        tier="deep",
    )
    yield row(
        "atoms-bfloat16",
        "truncated_normal(std=0.02, low=-100, high=100)",
        "0.2 % of the values are exactly -2",
        "pytorch#145498, torchtitan#2269, timm",
        f.erfinv_bfloat16,
        dtype="bfloat16",
    )
    yield row(
        "atoms-float32",
        "truncated_normal(std=0.02, low=-100, high=100)",
        "one value in 2**24 is exactly -2",
        "pytorch#155588",
        f.from_words(f.erfinv_words),
        of_words=f.erfinv_words,
        tier="exact",
    )
    yield row(
        "infinite-ends",
        _REF,
        "the first and the last word are infinite",
        "log(0) in Box and Muller's method, the quantile of 0",
        f.from_words(f.closed_words),
        of_words=f.closed_words,
        tier="exact",
    )
    yield row(
        "one-beyond",
        _TN,
        "a single value outside the bounds",
        "rounding in a rejection loop",
        f.beyond,
        tier="exact",
    )


def resolutions() -> Iterator[Mutant]:
    """Too few random bits, and wrong rounding."""
    for bits in (8, 12, 16, 18, 20):
        yield row(
            f"bits-{bits}",
            _U,
            f"{2**bits} distinct values",
            "generators of few bits",
            f.lattice(bits),
        )
    yield row(
        "bits-8-floor",
        _U,
        "256 distinct values, each the lower end of its step",
        "TensorFlow and JAX, 16-bit uniforms",
        f.lattice(8, 0),
    )
    yield row(
        "bits-8-normal",
        _REF,
        "a normal law from 8 bits",
        "jax.random.normal in bfloat16",
        f.lattice(8),
        dtype="bfloat16",
    )
    yield row(
        "bits-7-bfloat16",
        _U,
        "128 distinct values where bfloat16 has thousands",
        "jax.random.uniform in bfloat16",
        f.lattice(7, 0),
        dtype="bfloat16",
    )
    yield row(
        "bits-truncated",
        _TN,
        "to bfloat16 by leaving bits out",
        "1bit-MONSTER#640",
        f.truncated_bits,
        dtype="bfloat16",
        tier="deep",
    )
    yield row(
        "upper-bound-wraps",
        _U,
        "what rounds to the upper bound becomes the lower one",
        "torch.Tensor.uniform_ in 16-bit types: pytorch#2740, #96947, #197079",
        f.wrapped,
        dtype="bfloat16",
    )
    yield row(
        "upper-bound-wraps-once",
        _U,
        "the same, seen on one tensor by its float32 twin",
        "torch.Tensor.uniform_ in 16-bit types",
        f.wrapped,
        shape=(344, 200),
        dtype="bfloat16",
        tier="exact",
    )
    yield row("overflowing", _REF, "some values are infinite", "float16 overflow", f.overflowing)
    yield row(
        "half-open",
        _U,
        "a lower bound that can be drawn, on a lattice of 24 bits",
        "torch.rand",
        f.lattice(24, 0),
        equivalent="the bound has a chance of 2**-24, that of any other value of the lattice",
    )


def dependence() -> Iterator[Mutant]:
    """Right values that depend on each other."""
    yield row(
        "seed-ignored",
        _TN,
        "the same tensor for every seed",
        "netket#241, nntile#21, keras-hub#352, torch.nn.init.sparse_",
        f.same,
    )
    yield row(
        "seed-halved",
        _TN,
        "seeds 2 k and 2 k + 1 are one",
        "a seed's last bit lost",
        f.seeds(lambda seed: seed // 2),
    )
    yield row(
        "seed-period",
        _TN,
        "seeds repeat after 128",
        "Keras' SeedGenerator, of a short period",
        f.seeds(lambda seed: seed % 128),
    )
    yield row(
        "seed-of-8-bits",
        _TN,
        "seeds repeat after 256",
        "a seed in a byte",
        f.seeds(lambda seed: seed % 256),
        tier="exact",
    )
    yield row(
        "unrepeatable",
        _TN,
        "other values at every call with the same seed",
        "PyTorch's and Flux's sparse initializers, whose generator is ignored",
        f.unrepeatable,
        tier="exact",
    )
    yield row(
        "seed-is-a-sign",
        _TN,
        "tensors of other seeds differ in sign",
        "antithetic draws",
        f.signed_copies,
    )
    yield row(
        "streams-overlap",
        _TN,
        "the next seed's stream starts 400 values later",
        "counters advanced by too little; Keras' SeedGenerator",
        f.overlapping,
    )
    yield row("row-tiled", _TN, "one row, tiled", "broadcasting", f.broadcast)
    yield row("two-rows-equal", _TN, "two rows are copies", "an index off by one", f.two_rows)
    yield row(
        "rows-antithetic",
        _TN,
        "the second half of the rows is minus the first",
        "antithetic draws",
        f.antithetic,
    )
    yield row("rows-permuted", _TN, "rows are permutations of each other", "shuffling", f.permuted)
    yield row(
        "symmetric", _TN, "equal to its transpose", "a product with itself", f.symmetric, **_SQUARE
    )
    yield row("sorted", _TN, "the right numbers in order", "quasi-random points", f.ordered)
    yield row(
        "correlated-0.05",
        _REF,
        "neighbours correlated by 0.05",
        "weak generators",
        f.autoregressive(0.05),
    )
    yield row(
        "correlated-0.2",
        _REF,
        "neighbours correlated by 0.2",
        "weak generators",
        f.autoregressive(0.2),
    )
    yield row(
        "pairs-equal",
        _REF,
        "Box and Muller's pair is one number twice",
        "hand-written ports",
        f.box_muller_twice,
    )
    yield row("zero-column", _REF, "a column of zeros", "sign(0) of a QR factor", f.zero_column)
    yield row(
        "blocks-equal",
        "glorot_uniform",
        "two blocks of the weight are copies",
        "TensorFlow's partitioned variables, torchtitan#3106, flax#2665",
        f.copied_blocks(2),
    )
    yield row(
        "gates-equal",
        "glorot_uniform",
        "four gates are copies",
        "Keras with an integer seed",
        f.copied_blocks(4),
        **_GATES,
    )
    yield row(
        "qkv-equal",
        "glorot_uniform",
        "q, k and v are copies",
        "Keras MultiHeadAttention with an integer seed",
        f.copied_blocks(3),
        shape=(32, 96),
        layout="io, stack=3",
    )


def tied() -> Iterator[Mutant]:
    """Orthogonal, sparse and fixed tensors."""
    haar, gained = "orthogonal", "orthogonal(gain=1.4142135623730951)"
    yield row(
        "qr-signs",
        haar,
        "QR without the signs of R",
        "chainer#5615, tensorflow#9429, cr-sparse#28",
        f.qr(),
        **_MATRIX,
    )
    yield row("qr-signs-wide", haar, "the same, wide", "chainer#5615", f.qr(), shape=(8, 24))
    yield row("qr-signs-tall", haar, "the same, tall", "chainer#5615", f.qr(), shape=(24, 8))
    yield row(
        "qr-positive",
        haar,
        "QR of numbers on (0, 1)",
        "hand-written ports",
        f.qr(lambda u: u),
        **_MATRIX,
    )
    yield row(
        "qr-uniform",
        haar,
        "QR of numbers on (-1, 1), signs put right",
        "hand-written ports",
        f.qr(lambda u: 2 * u - 1, signs=True),
        tier="deep",
        **_MATRIX,
    )
    yield row(
        "qr-signs-of-numbers",
        haar,
        "QR of random signs, signs put right",
        "hand-written ports",
        f.qr(lambda u: np.where(u < 0.5, -1.0, 1.0), signs=True),
        tier="deep",
        **_MATRIX,
    )
    yield row(
        "svd-left",
        haar,
        "the left singular vectors",
        "Lasagne, Keras 1, tflearn",
        f.svd(lambda u, v: u),
        tier="deep",
        **_MATRIX,
    )
    yield row(
        "svd-left-tall",
        haar,
        "the left singular vectors, tall",
        "Lasagne, Keras 1",
        f.svd(lambda u, v: u),
        tier="deep",
        shape=(24, 8),
    )
    yield row(
        "svd-right-wide",
        haar,
        "the right singular vectors, wide",
        "Lasagne, Keras 1",
        f.svd(lambda u, v: v),
        shape=(8, 24),
        equivalent="not told from a Haar matrix by 16,384 of them",
    )
    yield row(
        "polar",
        haar,
        "the polar factor of a normal matrix",
        "a right sampler by another way",
        f.svd(lambda u, v: u @ v),
        equivalent="it is Haar",
        **_MATRIX,
    )
    yield row(
        "rotations",
        haar,
        "never a reflection",
        "scipy.stats.special_ortho_group",
        f.rotation,
        **_MATRIX,
    )
    yield row("householder", haar, "one reflection", "hand-written ports", f.householder, **_MATRIX)
    yield row(
        "cayley", haar, "Cayley's transform", "orthogonal parametrisations", f.cayley, **_MATRIX
    )
    yield row(
        "permutation",
        haar,
        "a permutation with signs",
        "hand-written ports",
        f.signed_permutation,
        **_MATRIX,
    )
    yield row(
        "gain-missing",
        gained,
        "the gain is left out",
        "hand-written ports",
        f.gain_power(0),
        **_MATRIX,
    )
    yield row(
        "gain-squared",
        gained,
        "the gain is taken twice",
        "hand-written ports",
        f.gain_power(2),
        **_MATRIX,
    )
    yield row(
        "matrix-of-no-seed",
        haar,
        "one matrix for every seed",
        "a seed ignored",
        f.same_matrix,
        **_MATRIX,
    )
    yield row(
        "normal-for-orthogonal",
        haar,
        "independent normal numbers",
        "a fall-back for missing LAPACK",
        f.normal_over_root,
        **_MATRIX,
    )
    yield row(
        "orthogonal-per-gate",
        haar,
        "each gate is orthogonal where the whole should be",
        "ports of recurrent cells",
        f.per_part(4),
        shape=(16, 64),
    )
    yield row(
        "orthogonal-jointly",
        haar,
        "the whole is orthogonal where each gate should be",
        "Keras LSTM, flax.nnx.OptimizedLSTMCell",
        f.jointly,
        shape=(16, 64),
        layout="io, stack=4",
    )
    yield row(
        "orthogonal-gates-equal",
        haar,
        "the gates are copies of one matrix",
        "Keras with an integer seed",
        f.copied_matrices(4),
        shape=(16, 64),
        layout="io, stack=4",
    )
    yield row(
        "delta-off",
        "delta_orthogonal",
        "the matrix at the first tap, not at the middle one",
        "an index off by one",
        f.first_tap,
        shape=(3, 3, 8, 16),
        layout="hwio",
    )
    yield row(
        "orthogonal-noisy",
        haar,
        "orthogonal to a thousandth",
        "QR in half precision",
        f.noisy,
        **_MATRIX,
    )
    sparse, grid = "sparse(sparsity=0.26, std=0.01)", {"shape": (40, 24)}
    yield row(
        "zeros-rounded-down",
        sparse,
        "floor in place of ceil of the number of zeros",
        "hand-written ports",
        f.sparse(lambda n, zeros: zeros - 1),
        **grid,
    )
    yield row(
        "zeros-complement",
        sparse,
        "the fraction that is not zero",
        "Lasagne's sparsity",
        f.sparse(lambda n, zeros: n - zeros),
        **grid,
    )
    yield row(
        "zeros-in-rows",
        sparse,
        "zeros in each row, not in each column",
        "in and out swapped",
        f.sparse(lambda n, zeros: math.ceil(0.26 * n), across=True),
        **grid,
    )
    yield row(
        "zeros-in-columns",
        "sparse(sparsity=0.26, std=0.01, zeros_per='in')",
        "zeros counted for each output unit, not for each input unit",
        "ports of PyTorch's sparse_ to (in, out)",
        f.sparse(lambda n, zeros: math.ceil(0.26 * n), across=True),
        **grid,
    )
    yield row(
        "zeros-by-chance",
        sparse,
        "each element zero by itself",
        "hand-written ports",
        f.bernoulli_zeros,
        **grid,
    )
    yield row(
        "zeros-in-place",
        sparse,
        "zeros in the same places for every seed",
        "Flux's sparse_init, torch.nn.init.sparse_ and its generator",
        f.sparse(lambda n, zeros: zeros, fixed=True),
        **grid,
    )
    yield row(
        "zeros-in-every-column",
        sparse,
        "zeros in the same rows of every column",
        "a mask that is broadcast",
        f.sparse(lambda n, zeros: zeros, alike=True),
        **grid,
    )
    yield row(
        "sparse-variance",
        "sparse(sparsity=0.26, std=0.1)",
        "N(0, 0.01) read as a standard deviation of 0.01",
        "PyTorch's and MindSpore's documentation",
        f.sparse(lambda n, zeros: zeros, std=0.1),
        **grid,
    )
    yield row(
        "zero-weights",
        "zeros",
        "small numbers where there should be zeros",
        "transformers, BERT's biases",
        lambda s: s.draw(Normal(0, 0.02)),
    )
    yield row(
        "scale-is-mean",
        _N,
        "all zero: the scale was given the mean",
        "thinc's normal_init",
        lambda s: np.zeros(s.shape),
    )
    yield row(
        "norms-drawn",
        "ones",
        "a normalisation's weights drawn from N(0, 0.02**2)",
        "transformers#143, BERT",
        lambda s: s.draw(Normal(0, 0.02)),
    )
    yield row(
        "dirac-off",
        "dirac",
        "the identity of a convolution, one channel off",
        "an index off by one",
        f.wrong_place(1),
        shape=(3, 5, 8, 12),
        layout="hwio",
    )


def own() -> Iterator[Mutant]:
    """A law of the user's own, drawn wrongly."""
    yield row(
        "own-rate",
        OWN,
        "the scale taken for the rate",
        "torch.Tensor.exponential_(lambd) beside numpy's exponential(scale)",
        lambda s: 4 * s.draw(),
    )
    yield row(
        "own-scale",
        OWN,
        "five per cent too large",
        "a constant rounded by hand",
        lambda s: 1.05 * s.draw(),
    )
    yield row(
        "own-shifted",
        OWN,
        "shifted by a fiftieth of the scale",
        "a term added against log(0)",
        lambda s: s.draw() + 0.01,
    )
    yield row(
        "own-clipped",
        OWN,
        "clipped at six times the scale",
        "a guard against outliers",
        lambda s: np.minimum(s.draw(), 3.0),
    )
    yield row(
        "own-normal",
        OWN,
        "a normal law of the same mean and variance",
        "a sampler that knows moments alone",
        lambda s: s.draw(Normal(0.5, 0.5)),
    )
    yield row(
        "own-rng-ignored",
        OWN,
        "the generator that it is given is left unused",
        "hand-written samplers",
        f.same,
    )
    yield row(
        "own-rng-global",
        OWN,
        "other values at every call with the same seed",
        "numpy.random in place of the generator that is given",
        f.unrepeatable,
        tier="exact",
    )


def complexes() -> Iterator[Mutant]:
    """Complex numbers that are not what their scheme means."""

    def complex_row(id: str, claim: str, what: str, source: str, make: Fault) -> Mutant:
        return row(f"complex-{id}", claim, what, source, make, dtype="complex64")

    normal, uniform = "he_normal@torch", "he_uniform"
    yield complex_row(
        "parts-whole",
        normal,
        "real and imaginary part have the whole variance each",
        "Haiku VarianceScaling",
        f.of_parts(lambda law: law),
    )
    yield complex_row(
        "square-doubled",
        uniform,
        "both parts even on (-limit, limit) of the real law: 2 limit**2 / 3",
        "Equinox layers",
        f.of_parts(lambda law: law),
    )
    yield complex_row(
        "square",
        uniform,
        "even on a square in place of a disk, its variance right",
        "hand-written ports",
        f.of_parts(lambda law: f.resized(law, law.std / math.sqrt(2))),
    )
    yield complex_row(
        "jax-constant",
        _TN,
        "the constant 0.9531 = sqrt(1 - 5 exp(-4)) in place of 0.9620: its normaliser left out",
        "jax.nn.initializers",
        lambda s: f.round_cut(f.pairs(s), s.law.variance, 0.95311164380491208),
    )
    yield complex_row(
        "not-cut",
        _TN,
        "not truncated, its variance right",
        "hand-written ports",
        lambda s: f.round_normal(f.pairs(s), s.law.variance),
    )
    yield complex_row(
        "parts-cut",
        _TN,
        "each part cut by itself, its variance right",
        "hand-written ports",
        f.of_parts(lambda law: f.resized(law, law.std / math.sqrt(2))),
    )
    yield complex_row(
        "real", normal, "the imaginary part is zero", "a real array cast", lambda s: s.draw() + 0j
    )
    yield complex_row(
        "seed-ignored",
        normal,
        "the same tensor for every seed",
        "hand-written samplers",
        lambda s: f.round_normal(f.pairs(f.unseeded(s)), s.law.variance),
    )
    yield complex_row(
        "row-tiled",
        normal,
        "one row, tiled",
        "broadcasting",
        lambda s: np.broadcast_to(
            f.round_normal(s.uniform((2, s.shape[-1])), s.law.variance), s.shape
        ),
    )
    yield complex_row(
        "coarse",
        normal,
        "moduli of 12 bits",
        "generators of few bits",
        lambda s: f.round_normal(
            np.stack([(np.floor(4096 * s.uniform()) + 0.5) / 4096, f.pairs(s)[1]]), s.law.variance
        ),
    )
    yield complex_row(
        "angle-of-row",
        normal,
        "one angle for each row",
        "broadcasting",
        lambda s: f.shared(s, rows=True),
    )
    yield complex_row(
        "angle-of-no-seed",
        normal,
        "angles are those of another key, which is always the same",
        "one of two keys that is not split",
        lambda s: f.shared(s, rows=False),
    )
    yield complex_row(
        "one-key",
        normal,
        "modulus and angle from one uniform number",
        "one key used twice",
        lambda s: f.round_normal(np.stack([s.uniform()] * 2), s.law.variance),
    )
