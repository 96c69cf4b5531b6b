"""GPT-2 and what was made from it."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from recipes.original import Original, module_of

SMALL = {"n_layer": 3, "n_embd": 96, "n_head": 4}


def nanogpt() -> Any:
    """karpathy/nanoGPT, model.py."""
    model = module_of("karpathy/nanoGPT", "model")
    return model.GPT(model.GPTConfig(**SMALL, block_size=128, vocab_size=500))


def hf_gpt2() -> Any:
    """transformers' GPT2LMHeadModel."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(**SMALL, n_positions=128, vocab_size=500))


def openai_gpt2() -> Any:
    """openai/gpt-2, src/model.py, on TensorFlow's first version, which its second has inside."""
    import tensorflow

    tf = tensorflow.compat.v1
    contrib = ModuleType("tensorflow.contrib.training")
    contrib.HParams = SimpleNamespace  # type: ignore[attr-defined]
    held = sys.modules["tensorflow"]
    sys.modules |= {"tensorflow": tf, "tensorflow.contrib.training": contrib}
    try:
        model = module_of("openai/gpt-2", "model", "src")
    finally:
        sys.modules["tensorflow"] = held
        del sys.modules["tensorflow.contrib.training"]
    with tf.Graph().as_default(), tf.Session() as session:
        tf.disable_v2_tensorshape()
        tf.set_random_seed(0)
        hparams = SimpleNamespace(**SMALL, n_ctx=128, n_vocab=500)
        model.model(hparams, tf.zeros((1, 4), tf.int32))
        session.run(tf.global_variables_initializer())
        names = [one.name.removesuffix(":0") for one in tf.global_variables()]
        drawn = dict(zip(names, session.run(tf.global_variables()), strict=True))
        tf.enable_v2_tensorshape()
    return drawn


ORIGINALS = [
    Original(recipe="gpt2", package="karpathy/nanoGPT", config=SMALL, build=nanogpt),
    Original(recipe="hf/gpt2", package="transformers", config=SMALL, build=hf_gpt2),
    Original(recipe="openai/gpt2", package="openai/gpt-2", config=SMALL, build=openai_gpt2),
]
