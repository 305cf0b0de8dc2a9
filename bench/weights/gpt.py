"""A small language model of characters, and how it is trained. Needs PyTorch, which the program itself does not.

One thread and seeds: on one machine the same settings give the same weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
CONTEXT = 64  # characters
BATCH = 16
LEARNING_RATE, WARM_UP, BETAS, DECAY = 2e-3, 20, (0.9, 0.95), 0.1
INITIAL_SPREAD = 0.02  # of GPT-2
EPSILON = 1e-5
EXPANSION = 4


@dataclass(frozen=True, slots=True)
class Size:
    """How large a model is."""

    width: int = 64
    layers: int = 3
    heads: int = 4


class Attention(nn.Module):
    """Causal attention with a matrix for each part."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.query = nn.Linear(size.width, size.width, bias=False)
        self.key = nn.Linear(size.width, size.width, bias=False)
        self.value = nn.Linear(size.width, size.width, bias=False)
        self.out = nn.Linear(size.width, size.width, bias=False)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Shapes: batch, characters, width."""
        batch, length, width = given.shape
        query, key, value = (
            part(given).view(batch, length, self.heads, -1).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        mixed = mixed.transpose(1, 2).reshape(batch, length, width)
        found: torch.Tensor = self.out(mixed)
        return found


class Layer(nn.Module):
    """Attention, then two matrices with something bent between them."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(size.width, EPSILON)
        self.attention = Attention(size)
        self.mlp_norm = nn.RMSNorm(size.width, EPSILON)
        self.up = nn.Linear(size.width, EXPANSION * size.width)
        self.down = nn.Linear(EXPANSION * size.width, size.width)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Shapes: as given."""
        after = given + self.attention(self.attention_norm(given))
        found: torch.Tensor = after + self.down(functional.gelu(self.up(self.mlp_norm(after))))
        return found


class Gpt(nn.Module):
    """What predicts the next character."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(CHARACTERS), size.width)
        self.position = nn.Embedding(CONTEXT, size.width)
        self.layers = nn.ModuleList(Layer(size) for _ in range(size.layers))
        self.norm = nn.RMSNorm(size.width, EPSILON)
        self.head = nn.Linear(size.width, len(CHARACTERS), bias=False)
        for each in self.modules():
            if isinstance(each, nn.Linear | nn.Embedding):
                nn.init.normal_(each.weight, std=INITIAL_SPREAD)
            if isinstance(each, nn.Linear) and each.bias is not None:
                nn.init.zeros_(each.bias)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Shapes: batch, characters -> batch, characters, known characters."""
        hidden = self.embed(given) + self.position(torch.arange(given.shape[1]))
        for layer in self.layers:
            hidden = layer(hidden)
        found: torch.Tensor = self.head(self.norm(hidden))
        return found


def encoded(text: str) -> NDArray[np.int64]:
    """Numbers of the known characters of a text; others are left out."""
    numbers = {character: number for number, character in enumerate(CHARACTERS)}
    return np.array([numbers[character] for character in text if character in numbers], np.int64)


def train(
    size: Size, seed: int, text: NDArray[np.int64], steps: int, first: Mapping[str, NDArray[Any]] | None = None
) -> tuple[dict[str, NDArray[np.float32]], float]:
    """Train a model from its first values, or go on from given ones.

    The order of the data is that of the seed too: nothing else tells two models of one size and text apart.
    Returns: weights, and the loss of the last steps.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = Gpt(size)
    if first is not None:
        load(model, first)
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, BETAS, weight_decay=DECAY)
    draw = np.random.default_rng(seed)
    losses = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, (step + 1) / WARM_UP)
        begins = draw.integers(0, len(text) - CONTEXT - 1, BATCH)
        pieces = torch.from_numpy(text[begins[:, None] + np.arange(CONTEXT + 1)])
        scores = model(pieces[:, :-1])
        loss = functional.cross_entropy(scores.flatten(0, 1), pieces[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    return weights(model), float(np.mean(losses[-20:]))


def weights(model: nn.Module) -> dict[str, NDArray[np.float32]]:
    """The values of a module by name."""
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


def load(model: nn.Module, values: Mapping[str, NDArray[Any]]) -> None:
    """Put values into a module; every name has to be there, and no other."""
    model.load_state_dict({name: torch.from_numpy(np.array(value, np.float32)) for name, value in values.items()})
