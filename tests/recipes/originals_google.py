"""Google's own BERT and T5."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from recipes.original import Original, checkout, module_of, read, stand_ins

T5 = {"emb_dim": 96, "num_heads": 6, "head_dim": 20, "mlp_dim": 160, "vocab_size": 320}
BERT = {
    "vocab_size": 320,
    "hidden_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 160,
    "max_position_embeddings": 64,
}


def t5x() -> Mapping[str, Any]:
    """google-research/t5x, examples/t5, without the package around it."""
    import jax
    import jax.numpy as jnp

    root = checkout("google-research/t5x")
    held = {}
    for name in ("t5x", "t5x.examples", "t5x.examples.t5"):
        package = ModuleType(name)
        package.__path__ = [str(Path(root, *name.split(".")))]
        held[name] = sys.modules[name] = package
    try:
        from t5x.examples.t5 import network
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "t5x"]:
            del sys.modules[name]
    config = network.T5Config(
        **T5,
        num_encoder_layers=2,
        num_decoder_layers=2,
        mlp_activations=("gelu", "linear"),
    )
    tokens = jnp.ones((1, 4), jnp.int32)
    variables = network.Transformer(config).init(
        jax.random.key(0), tokens, tokens, tokens, enable_dropout=False
    )
    found: Mapping[str, Any] = variables["params"]
    return found


def bert() -> Mapping[str, Any]:
    """google-research/bert, modeling.py, with the two layers that TensorFlow has no more."""
    import tensorflow

    tf = tensorflow.compat.v1

    def dense(x: Any, units: int, activation: Any = None, **options: Any) -> Any:
        with tf.variable_scope(options.get("name") or "dense"):
            kernel = tf.get_variable(
                "kernel", [int(x.shape[-1]), units], initializer=options["kernel_initializer"]
            )
            y = tf.matmul(x, kernel) + tf.get_variable(
                "bias", [units], initializer=tf.zeros_initializer()
            )
        return y if activation is None else activation(y)

    def layer_norm(inputs: Any, **options: Any) -> Any:
        with tf.variable_scope("LayerNorm"):
            size = [int(inputs.shape[-1])]
            beta = tf.get_variable("beta", size, initializer=tf.zeros_initializer())
            return inputs * tf.get_variable("gamma", size, initializer=tf.ones_initializer()) + beta

    class Old(ModuleType):
        contrib = SimpleNamespace(layers=SimpleNamespace(layer_norm=layer_norm))
        layers = SimpleNamespace(dense=dense)
        gfile = tf.gfile

        def __getattr__(self, name: str) -> Any:
            return getattr(tf, name)

    held = sys.modules["tensorflow"]
    sys.modules["tensorflow"] = Old("tensorflow")
    try:
        with stand_ins("six"):
            modeling = module_of("google-research/bert", "modeling")
    finally:
        sys.modules["tensorflow"] = held
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        config = modeling.BertConfig(**BERT)
        modeling.BertModel(config, is_training=False, input_ids=tf.ones((1, 4), tf.int32))
        session.run(tf.global_variables_initializer())
        names = [one.name.removesuffix(":0") for one in tf.global_variables()]
        return dict(zip(names, session.run(tf.global_variables()), strict=True))


#: MaxText's parameters with layers scanned, of the sizes of a model with 2 layers, width 96,
#: 4 heads of 24, 2 of keys and values, 160 hidden units and 320 words.
MAXTEXT = {
    "params.token_embedder.embedding": (320, 96),
    "params.decoder.layers.pre_self_attention_layer_norm.scale": (96, 2),
    "params.decoder.layers.post_self_attention_layer_norm.scale": (96, 2),
    "params.decoder.layers.self_attention.query.kernel": (96, 2, 4, 24),
    "params.decoder.layers.self_attention.key.kernel": (96, 2, 2, 24),
    "params.decoder.layers.self_attention.value.kernel": (96, 2, 2, 24),
    "params.decoder.layers.self_attention.out.kernel": (4, 2, 24, 96),
    "params.decoder.layers.mlp.wi_0.kernel": (96, 2, 160),
    "params.decoder.layers.mlp.wi_1.kernel": (96, 2, 160),
    "params.decoder.layers.mlp.wo.kernel": (160, 2, 96),
    "params.decoder.decoder_norm.scale": (96,),
    "params.decoder.logits_dense.kernel": (96, 320),
}

ORIGINALS = [
    read("maxtext/llama", MAXTEXT),
    Original(
        recipe="t5x/t5",
        package="google-research/t5x",
        config=T5,
        build=t5x,
        symbols={"head_dim": 20},
    ),
    Original(
        recipe="google/bert",
        package="google-research/bert",
        config=BERT,
        build=bert,
        part="the model; dense and layer_norm, whose initializers it hands over, stand in",
    ),
]
