"""A decoder language model of the Llama kind, written out here so that nothing of a submission is executed.

x = x + attention(norm(x));  x = x + mlp(norm(x));  attention with rotary positions and shared key heads
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

PADDING = -1


class Norm(nn.Module):
    """Root-mean-square normalisation."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x * torch.rsqrt(x.pow(2).mean(dim=-1, keepdim=True) + self.eps)


class Attention(nn.Module):
    """Causal attention; several query heads share one key head."""

    def __init__(self, sizes: dict[str, Any]) -> None:
        super().__init__()
        width, self.heads, self.key_heads = sizes["width"], sizes["heads"], sizes["key_heads"]
        self.part, self.theta = width // self.heads, sizes["theta"]
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, self.key_heads * self.part, bias=False)
        self.v_proj = nn.Linear(width, self.key_heads * self.part, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:  # (batch, tokens, width)
        batch, tokens, width = x.shape
        query = rotated(self.split(self.q_proj(x), self.heads), self.theta)
        key = rotated(self.split(self.k_proj(x), self.key_heads), self.theta)
        value = self.split(self.v_proj(x), self.key_heads)
        share = self.heads // self.key_heads
        key, value = key.repeat_interleave(share, dim=1), value.repeat_interleave(share, dim=1)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return cast(Tensor, self.o_proj(seen.transpose(1, 2).reshape(batch, tokens, width)))

    def split(self, x: Tensor, heads: int) -> Tensor:
        """(batch, tokens, heads * part) → (batch, heads, tokens, part)."""
        return x.view(*x.shape[:2], heads, self.part).transpose(1, 2)


def rotated(x: Tensor, theta: float) -> Tensor:
    """Rotary positions: the two halves of each head turn against each other."""
    tokens, part = x.shape[2:]
    places = torch.arange(0, part, 2, device=x.device, dtype=torch.float32) / part
    angle = torch.arange(tokens, device=x.device, dtype=torch.float32)[:, None] / theta**places
    angle = torch.cat([angle, angle], dim=1)
    left, right = x.chunk(2, dim=-1)
    return x * angle.cos() + torch.cat([-right, left], dim=-1) * angle.sin()


class Mlp(nn.Module):
    """Gated feed-forward."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x)))


class Layer(nn.Module):
    """One block."""

    def __init__(self, sizes: dict[str, Any]) -> None:
        super().__init__()
        self.self_attn = Attention(sizes)
        self.mlp = Mlp(sizes["width"], sizes["inner"])
        self.input_layernorm = Norm(sizes["width"], sizes["eps"])
        self.post_attention_layernorm = Norm(sizes["width"], sizes["eps"])

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x))
        return cast(Tensor, x + self.mlp(self.post_attention_layernorm(x)))


class Body(nn.Module):
    """Embeddings, blocks, a last norm."""

    def __init__(self, sizes: dict[str, Any]) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(sizes["vocabulary"], sizes["width"])
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes["blocks"]))
        self.norm = Norm(sizes["width"], sizes["eps"])

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x)
        return cast(Tensor, self.norm(x))


class Decoder(nn.Module):
    """Logits of the answer tokens after the last token of each item; items are padded with -1 at their end."""

    def __init__(self, sizes: dict[str, Any]) -> None:
        super().__init__()
        self.answers = sizes["answers"]
        self.model = Body(sizes)
        self.tied = sizes["tied"]
        if not self.tied:
            self.lm_head = nn.Linear(sizes["width"], sizes["vocabulary"], bias=False)

    def forward(self, x: Tensor) -> Tensor:  # (batch, tokens) → (batch, classes)
        tokens = x.long()
        last = (tokens != PADDING).sum(dim=1).clamp(min=1) - 1
        hidden = self.model(tokens.clamp(min=0))
        # Only what is asked for goes through the head: the vocabulary is much wider than the answers.
        ends = hidden[torch.arange(len(tokens), device=x.device), last]
        head = self.model.embed_tokens.weight if self.tied else self.lm_head.weight
        return cast(Tensor, ends @ head[self.answers].T)
