"""Traps of Keras that one kernel does not show: several kernels of one initializer, stacked.

Targets for the survey: ``initspec check traps:attention --as glorot_uniform --shape 3x48x48
--layout sio``, in this folder.
"""

import numpy as np


def attention(shape, seed):
    """The query, key and value kernels of an attention whose initializer has a seed."""
    import keras

    made = keras.initializers.GlorotUniform(seed=seed)
    layer = keras.layers.MultiHeadAttention(4, shape[2] // 4, kernel_initializer=made)
    layer.build((None, 3, shape[1]), (None, 3, shape[1]))
    kernels = [w for w in layer.weights if "kernel" in w.path and "output" not in w.path]
    return np.stack([keras.ops.convert_to_numpy(w).reshape(shape[1:]) for w in kernels])


def shared(shape, seed):
    """The kernels of two layers that share one initializer without a seed."""
    import keras

    keras.utils.set_random_seed(seed)
    made = keras.initializers.GlorotUniform()
    layers = [keras.layers.Dense(shape[2], kernel_initializer=made) for _ in range(shape[0])]
    for layer in layers:
        layer.build((None, shape[1]))
    return np.stack([keras.ops.convert_to_numpy(layer.kernel) for layer in layers])
