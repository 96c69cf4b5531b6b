"""What the tests of generated code for each framework share."""

import numpy as np
from scipy import stats

from initspec.conformance.probability import transform
from initspec.spec.distribution import Distribution

SCHEMES = (
    "he_normal",
    "he_uniform",
    "glorot_normal",
    "glorot_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal(std=0.02, mean=0.5)",
    "uniform(low=0.1, high=0.7)",
    "truncated_normal(std=0.02)",
    "he_normal@torch(a=0.2, mode='fan_out')",
    "he_normal@recipes",
    "glorot_normal@neupy",
    "variance_scaling@tf.contrib",
    "variance_scaling(mode='FAN_GEO_AVG')",
    "lecun_normal@recipes",
    "he_normal@chainer",
    "glorot_normal@mxnet",
)


def chance(values: np.ndarray, law: Distribution) -> float:
    """The p-value of Kolmogorov and Smirnov's test."""
    return float(stats.kstest(transform.cdf(law, values), "uniform").pvalue)
