"""GPT-2 in Flax, with OpenAI's names."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp


class Attention(nn.Module):
    heads: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        *batch, length, width = x.shape
        parts = jnp.split(nn.Dense(3 * width, name="c_attn")(x), 3, -1)
        q, k, v = (part.reshape(*batch, length, self.heads, -1) for part in parts)
        mixed = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        return nn.Dense(width, name="c_proj")(mixed.reshape(x.shape))


class Mlp(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        width = x.shape[-1]
        return nn.Dense(width, name="c_proj")(nn.gelu(nn.Dense(4 * width, name="c_fc")(x)))


class Block(nn.Module):
    heads: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        norm = {"epsilon": 1e-5}
        x = x + Attention(self.heads, name="attn")(nn.LayerNorm(**norm, name="ln_1")(x))
        return x + Mlp(name="mlp")(nn.LayerNorm(**norm, name="ln_2")(x))


class GPT2(nn.Module):
    """The sizes are those of the smallest one, of 124 million parameters."""

    layers: int = 12
    width: int = 768
    heads: int = 12
    words: int = 50257
    length: int = 1024

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        wte = nn.Embed(self.words, self.width, name="wte")
        x = wte(tokens) + nn.Embed(self.length, self.width, name="wpe")(
            jnp.arange(tokens.shape[-1])
        )
        for layer in range(self.layers):
            x = Block(self.heads, name=f"h_{layer}")(x)
        return wte.attend(nn.LayerNorm(epsilon=1e-5, name="ln_f")(x))
