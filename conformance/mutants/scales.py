"""Wrong scales: the truncation, the factor, a variance taken for a standard deviation."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..probability.transform import CUT_AT_TWO
from .fault import average, scaled, std_from, variance
from .mutant import Mutant
from .rounding import bfloat16
from .rows import CONV, TRUNCATED, row


def truncations() -> Iterator[Mutant]:
    """The variance of a truncated law corrected wrongly."""
    yield row(
        "truncation-uncorrected",
        TRUNCATED,
        "the variance is not corrected for the truncation",
        "keras#8048, tensorflow#18706, tensorflow#16344, tfjs#8594; Haiku and Sonnet layers",
        scaled(CUT_AT_TWO.std),
    )
    yield row(
        "truncation-corrected-twice",
        TRUNCATED,
        "the variance is corrected twice",
        "a formula applied by caller and callee",
        scaled(1 / CUT_AT_TWO.std),
    )
    yield row(
        "truncation-1.3",
        TRUNCATED,
        "the parent's variance times 1.3 in place of 1.2924",
        "tf.contrib.layers",
        scaled(CUT_AT_TWO.std * math.sqrt(1.3)),
    )
    yield row(
        "truncation-0.88",
        TRUNCATED,
        "the constant 0.8796 rounded to 0.88",
        "hand-written ports",
        scaled(CUT_AT_TWO.std / 0.88),
        tier="deep",
    )


def factors() -> Iterator[Mutant]:
    """Wrong numbers in the formula of the scale."""
    yield row(
        "lecun-for-he",
        TRUNCATED,
        "1/n in place of 2/n",
        "tensorflow#19081; neupy, MLX, Lasagne, LBANN defaults",
        variance(lambda fan: 1 / fan.fan_in),
    )
    yield row(
        "glorot-three",
        "glorot_normal",
        "sqrt(3 / (in + out)) in place of sqrt(2 / (in + out))",
        "tflearn#870, tf.contrib's documentation",
        variance(lambda fan: 1.5 / average(fan)),
    )
    yield row(
        "glorot-one",
        "glorot_normal",
        "1 / (in + out) in place of 2 / (in + out)",
        "neupy XavierNormal, DL4J XAVIER_LEGACY",
        variance(lambda fan: 0.5 / average(fan)),
    )
    yield row(
        "glorot-uniform-three",
        "glorot_uniform",
        "the limit sqrt(3 / (in + out)) in place of sqrt(6 / (in + out))",
        "neupy XavierUniform",
        scaled(math.sqrt(0.5)),
    )
    yield row(
        "glorot-three-over-average",
        "glorot_normal",
        "3 / average in place of 1 / average",
        "MXNet Xavier('gaussian')",
        variance(lambda fan: 3 / average(fan)),
    )
    yield row(
        "he-average-prelu",
        TRUNCATED,
        "2 / 1.0625 / average in place of 2 / fan_in",
        "MXNet MSRAPrelu()",
        variance(lambda fan: 2 / 1.0625 / average(fan)),
    )
    yield row(
        "glorot-sigmoid",
        "glorot_uniform",
        "four times the limit",
        "DL4J SIGMOID_UNIFORM",
        scaled(4),
    )
    yield row(
        "third-over-average",
        "glorot_normal(gain=1.7320508075688772)",
        "1 / (3 n) in place of 3 / n",
        "ARENA #414",
        variance(lambda fan: 1 / (3 * average(fan))),
    )
    yield row(
        "caffe-xavier",
        "glorot_uniform",
        "fan_in in place of the average",
        "Caffe's xavier",
        variance(lambda fan: 1 / fan.fan_in),
    )
    yield row(
        "limit-without-root",
        "glorot_uniform",
        "sqrt(6) / (in + out) in place of sqrt(6 / (in + out))",
        "hand-written ports",
        variance(lambda fan: 2 / (2 * average(fan)) ** 2),
    )
    yield row(
        "root-of-part",
        "glorot_normal",
        "sqrt(2 / in + out) in place of sqrt(2 / (in + out))",
        "mlverse/torch#555",
        variance(lambda fan: 2 / fan.fan_in + fan.fan_out),
    )
    yield row(
        "sum-of-axes",
        "glorot_uniform",
        "6 over the sum of all axes of a convolution",
        "dynet#659",
        variance(lambda fan: 2 / (5 + 7 + 8 + 38)),
        **CONV,
    )
    yield row(
        "siren-root",
        "siren_first",
        "1 / sqrt(n) in place of 1 / n: PyTorch's default kept in the first layer",
        "hand-written ports of SIREN",
        variance(lambda fan: 1 / (3 * fan.fan_in)),
    )
    yield row(
        "siren-omega-inside",
        "siren",
        "the limit is not divided by omega",
        "hand-written ports of SIREN",
        scaled(30),
    )
    yield row(
        "mup-readout-standard",
        "mup_readout",
        "1 / n in place of 1 / n**2: the standard parametrisation",
        "ports of muP",
        variance(lambda fan: 1 / fan.fan_in),
    )
    yield row(
        "expression-once",
        "normal(std='min(1, sqrt(fan_out / fan_in)) / sqrt(fan_in)')",
        "the factor min(1, sqrt(fan_out / fan_in)) left out",
        "hand-written ports of spectral muP",
        variance(lambda fan: 1 / fan.fan_in),
    )
    yield row(
        "variance-as-std",
        TRUNCATED,
        "the variance taken for the standard deviation",
        "DLFS_code#10, mlpack#3651",
        std_from(lambda std: std**2),
    )
    yield row(
        "variance-as-std-fixed",
        "normal(std=0.1)",
        "N(0, 0.01) read as a standard deviation of 0.01",
        "PyTorch's and MindSpore's documentation of sparse",
        std_from(lambda std: std**2),
    )
    yield row(
        "limit-is-std",
        "he_uniform",
        "the standard deviation taken for the limit: the root of three forgotten",
        "jax#13519, keras#372",
        scaled(1 / math.sqrt(3)),
    )
    yield row(
        "std-is-limit",
        "uniform",
        "the limit taken for the standard deviation",
        "the reverse of jax#13519",
        scaled(math.sqrt(3)),
    )


def gains() -> Iterator[Mutant]:
    """Wrong gains, slopes and precision."""
    yield row(
        "slope-ignored",
        "he_normal(nonlinearity='leaky_relu', slope=0.01)",
        "the slope of a leaky rectifier ignored: 5e-5 of the scale",
        "hand-written ports",
        variance(lambda fan: 2 / fan.fan_in),
        tier="exact",
    )
    yield row(
        "slope-added",
        TRUNCATED,
        "a slope of 0.01 where there is none",
        "tinygrad kaiming_uniform",
        variance(lambda fan: 2 / 1.0001 / fan.fan_in),
        tier="exact",
    )
    yield row(
        "slope-root-five",
        "he_uniform",
        "a = sqrt(5): a sixth of He's variance",
        "torch.nn.Linear's default",
        variance(lambda fan: 1 / (3 * fan.fan_in)),
    )
    yield row(
        "slope-times-two",
        "variance_scaling(factor=1.3333333333333333, distribution='uniform')",
        "a factor of two put on the slope and not on the scale",
        "efficient-kan",
        variance(lambda fan: 2 / 21 / fan.fan_in),
    )
    yield row(
        "selu-gain",
        "lecun_normal",
        "a gain of 3/4 where self-normalising networks need 1",
        "torch.nn.init.calculate_gain('selu')",
        scaled(0.75),
    )
    yield row(
        "gelu-as-relu",
        "variance_scaling(nonlinearity='gelu')",
        "the gain of a rectifier, 2, in place of GELU's 2.3517",
        "recipes for transformers that start with He",
        variance(lambda fan: 2 / fan.fan_in),
    )
    yield row(
        "silu-as-gelu",
        "variance_scaling(nonlinearity='silu', distribution='normal')",
        "GELU's gain for SiLU",
        "hand-written ports",
        variance(lambda fan: 2.3517 / fan.fan_in),
    )
    yield row(
        "gain-for-variance",
        "normal(std=0.02, gain=0.5)",
        "a gain that multiplies the variance, not the standard deviation",
        "hand-written ports",
        scaled(math.sqrt(2)),
    )
    yield row(
        "gain-of-fixed-ignored",
        "uniform(low=-0.1, high=0.1, gain=0.5)",
        "a gain that fixed bounds do not heed",
        "initspec 0.1",
        scaled(2),
    )
    yield row(
        "complex-doubled",
        "variance_scaling(factor=0.5)",
        "real and imaginary part have the whole variance each",
        "Haiku, complex VarianceScaling",
        variance(lambda fan: 1 / fan.fan_in),
    )
    yield row(
        "depth-not-scaled",
        "normal(std=0.0040824829046386)",
        "the residual projections are not divided by sqrt(2 layers)",
        "transformers#47458, GPT-2",
        scaled(math.sqrt(24)),
    )
    yield row(
        "width-not-rooted",
        "normal(std=0.00707106781186548)",
        "divided by the width multiplier 8, not by its root",
        "gpt-neox, muP",
        scaled(1 / math.sqrt(8)),
    )
    yield row(
        "std-in-bfloat16",
        "he_normal@torch",
        "the standard deviation is computed in bfloat16: off by 1.2e-4",
        "jax.nn.initializers in 16-bit types",
        std_from(lambda std: float(bfloat16(np.array(std)))),
        shape=(96, 8),
        tier="exact",
    )
    yield row(
        "std-in-float16",
        "variance_scaling(factor=8.6e-5, distribution='normal')",
        "a variance of 1e-6 is computed in float16",
        "jax.nn.initializers in 16-bit types",
        std_from(lambda std: math.sqrt(float(np.float16(std**2)))),
        tier="deep",
    )
    yield row(
        "variance-underflows",
        "variance_scaling(factor=8.6e-7)",
        "a variance of 1e-8 is zero in float16",
        "jax.nn.initializers, fan_in of 1e8",
        std_from(lambda std: max(math.sqrt(float(np.float16(std**2))), 1e-300)),
        dtype="float16",
    )
