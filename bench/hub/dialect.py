"""How one team writes code: the few of all operations that it uses, and one spelling for each habit."""

from __future__ import annotations

import random
from dataclasses import dataclass

# Of each list a family has a few, so that two families have few in common. {0}, {1}: values; {n}: a number.
UNARY = (
    "F.silu({0})",
    "F.gelu({0})",
    "torch.tanh({0})",
    "torch.sigmoid({0})",
    "F.softplus({0})",
    "F.relu({0}).square()",
    "F.elu({0})",
    "F.leaky_relu({0}, {n})",
    "torch.sin({0})",
    "F.mish({0})",
    "F.hardswish({0})",
    "F.softsign({0})",
    "torch.cos({n} * {0})",
    "torch.exp(-{0}.abs())",
    "torch.log1p({0}.abs())",
    "torch.atan({0})",
    "torch.erf({0})",
    "torch.rsqrt({0}.square() + {n})",
    "{0}.clamp(-{n}, {n})",
    "torch.expm1({0}.clamp(max={n}))",
    "{0}.sign()",
    "torch.asinh({0})",
    "F.celu({0}, {n})",
    "F.hardtanh({0})",
    "F.logsigmoid({0})",
    "torch.frac({0})",
    "torch.round({0})",
    "F.threshold({0}, {n}, 0.0)",
    "F.tanhshrink({0})",
    "F.softshrink({0}, {n})",
    "torch.sqrt({0}.abs() + {n})",
    "{0}.pow(3)",
    "torch.sinc({0})",
    "torch.special.i0e({0})",
    "torch.nan_to_num({0})",
    "torch.deg2rad({0})",
    "F.rrelu({0})",
    "F.selu({0})",
    "F.relu6({0})",
    "torch.reciprocal({0}.abs() + {n})",
    "{0}.trunc()",
    "torch.digamma({0}.abs() + {n})",
)
BINARY = (
    "{0} * {1}",
    "{0} + {n} * {1}",
    "{0} - {1}",
    "torch.maximum({0}, {1})",
    "torch.minimum({0}, {1})",
    "torch.atan2({0}, {1})",
    "torch.hypot({0}, {1})",
    "torch.lerp({0}, {1}, {n})",
    "torch.logaddexp({0}, {1})",
    "torch.copysign({0}, {1})",
    "torch.where({1} > {n}, {0}, {1})",
    "torch.fmod({0}, {1}.abs() + {n})",
    "{0} / ({1}.abs() + {n})",
    "torch.addcmul({0}, {0}, {1}, value={n})",
    "torch.addcdiv({0}, {1}, {0}.square() + 1.0)",
    "torch.xlogy({0}, {1}.abs() + {n})",
    "torch.heaviside({0}, {1})",
    "torch.float_power({0}.abs(), 2).to({1}.dtype) * {1}",
    "torch.where({0}.isfinite(), {0}, {1})",
    "torch.rsub({0}, {1}, alpha={n})",
    "torch.cat([{0}, {1}], dim=-1).unflatten(-1, (2, -1)).amax(-2)",
    "torch.stack([{0}, {1}], dim=0).mean(0)",
    "torch.stack([{0}, {1}], dim=-1).prod(-1)",
    "torch.nextafter({0}, {1})",
    "torch.special.xlog1py({0}, {1}.abs())",
    "torch.remainder({0}, {1}.abs() + {n})",
    "({0}.unsqueeze(-1) @ {1}.unsqueeze(-2)).amax(-1)",
)
ALONG = (
    "torch.cumsum({0}, dim=1)",
    "torch.cummax({0}, dim=1).values",
    "torch.logcumsumexp({0}, dim=1)",
    "torch.roll({0}, shifts={k}, dims=1)",
    "{0}.flip(1)",
    "{0}.softmax(dim=1)",
    "{0}.log_softmax(dim=-1)",
    "torch.sort({0}, dim=1).values",
    "F.avg_pool1d({0}.transpose(1, 2), {o}, 1, {o} // 2).transpose(1, 2)",
    "F.max_pool1d({0}.mT, {o}, 1, {o} // 2).mT",
    "torch.fft.ifft(torch.fft.fft({0}, dim=1), dim=1).real",
    "F.pad({0}, (0, 0, {k}, 0))[:, :-{k}]",
    "{0} - {0}.mean(dim=1, keepdim=True)",
    "F.normalize({0}, dim=-1)",
    "torch.diff({0}, dim=1, prepend={0}[:, :1])",
    "{0} / {0}.amax(dim=1, keepdim=True).clamp(min={n})",
    "F.layer_norm({0}, {0}.shape[-1:])",
    "{0}.cumprod(dim=1)",
    "torch.cat([{0}[:, {k}:], {0}[:, :{k}]], dim=1)",
    "torch.renorm({0}, 2, 0, {n})",
    "F.instance_norm({0}.permute(0, 2, 1)).permute(0, 2, 1)",
    "F.alpha_dropout({0}, {n}, self.training)",
    "{0} - {0}.median(dim=1, keepdim=True).values",
    "torch.fft.irfft(torch.fft.rfft({0}, dim=-1).abs(), n={0}.shape[-1], dim=-1)",
    "F.unfold({0}.unsqueeze(1), 1).view_as({0})",
    "torch.einsum('bnd,bmd->bnm', {0}, {0}).softmax(-1) @ {0}",
    "torch.triu({0}.mT @ {0}).matmul({0}.mT).mT",
    "torch.gather({0}, 1, {0}.argsort(1))",
    "{0} * torch.linspace(0, {n}, {0}.shape[1], device={0}.device)[None, :, None]",
    "torch.cov({0}.flatten(0, 1).T).matmul({0}.mT).mT",
    "F.interpolate(F.avg_pool1d({0}.mT, 2, 2), size={0}.shape[1]).mT",
    "torch.tensor_split({0}, 2, dim=-1)[{b}].repeat(1, 1, 2)",
    "F.lp_pool1d({0}, 2, 3, 1)",
    "torch.movedim({0}, 1, 2).softmax(-1).movedim(2, 1)",
    "torch.special.log_softmax({0}, 1).exp()",
    "torch.cummin({0}, 1).values",
    "F.glu(torch.cat([{0}, {0}.roll({k}, 1)], -1), -1)",
)
POOLS = (
    "{0}.mean(dim=1)",
    "{0}.amax(dim=1)",
    "{0}[:, -1]",
    "torch.logsumexp({0}, dim=1)",
    "{0}.std(dim=1)",
    "{0}.median(dim=1).values",
    "{0}[:, 0]",
    "{0}.square().sum(1).sqrt()",
    "torch.quantile({0}, {n} / 5.0, dim=1)",
    "{0}.aminmax(dim=1).max",
    "F.adaptive_avg_pool1d({0}.mT, 1).squeeze(-1)",
    "{0}.norm(dim=1)",
    "torch.nanmean({0}, 1)",
)
SPREADS = (
    "{1}.unsqueeze(1) * {0}",
    "{0} + {1}[:, None]",
    "torch.einsum('bnd,bd->bnd', {0}, {1})",
    "{0} - {1}.unsqueeze(1).expand_as({0})",
    "torch.baddbmm({0}, {0}, {1}.diag_embed())",
    "{0} * torch.sigmoid({1}).unsqueeze(1)",
    "torch.where({1}.unsqueeze(1) > {0}, {0}, {1}.unsqueeze(1))",
)
SPLITS = (
    "{0}.view(batch, length, self.heads, -1).transpose(1, 2)",
    "{0}.unflatten(-1, (self.heads, -1)).permute(0, 2, 1, 3)",
    "torch.stack({0}.chunk(self.heads, dim=-1), dim=1)",
    "{0}.reshape(batch, length, -1, self.heads).permute(0, 3, 1, 2)",
    "torch.cat({0}.unsqueeze(1).split(self.part, dim=-1), dim=1)",
    "{0}.mT.view(batch, self.heads, -1, length).mT",
)
MERGES = (
    "{0}.transpose(1, 2).reshape(batch, length, -1)",
    "{0}.permute(0, 2, 1, 3).flatten(2)",
    "torch.cat({0}.unbind(1), dim=-1)",
    "{0}.mT.reshape(batch, -1, length).mT",
    "torch.movedim({0}, 1, 2).contiguous().view(batch, length, -1)",
    "{0}.swapaxes(1, 2).flatten(start_dim=-2)",
)
SCORES = (
    "torch.matmul({0}, {1}.transpose(-1, -2)) * self.part**-0.5",
    "torch.einsum('bhid,bhjd->bhij', {0}, {1}) / self.part**0.5",
    "-torch.cdist({0}, {1})",
    "{0} @ {1}.mT",
    "F.cosine_similarity({0}.unsqueeze(3), {1}.unsqueeze(2), dim=-1)",
    "(F.elu({0}) + 1.0) @ (F.elu({1}) + 1.0).mT",
    "-({0}.unsqueeze(3) - {1}.unsqueeze(2)).abs().sum(-1)",
    "torch.tanh({0}.unsqueeze(3) + {1}.unsqueeze(2)).mean(-1)",
)
WEIGHTINGS = (
    "{0}.masked_fill(~mask, -1e4).softmax(dim=-1)",
    "F.relu({0}.tril()) / length",
    "torch.sigmoid({0}) * mask",
    "F.normalize({0}.tril().exp(), p=1, dim=-1)",
    "F.softmax({n} * torch.tanh({0} / {n}) + mask.log(), dim=-1)",
    "torch.where(mask, {0}.square(), 0.0)",
    "{0}.topk(min({o}, length), dim=-1).values.mean(-1, True) * {0}.softmax(-1)",
    "F.gumbel_softmax({0}, tau={n}) * mask",
    "F.softplus({0}).tril(-1)",
    "F.hardsigmoid({0}).cumprod(-1)",
)
_WIDTHS = (
    "hidden_size",
    "d_model",
    "n_embd",
    "dim",
    "embed_dim",
    "model_dim",
    "width",
    "units",
    "n_channels",
    "emb_size",
)
_HEADS = ("num_attention_heads", "n_heads", "n_head", "heads", "num_heads", "groups", "n_groups")
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "depth", "num_layers", "num_blocks", "stages")
_WORDS = ("vocab_size", "n_tokens", "n_vocab", "num_tokens", "vocabulary")
_EPSILONS = ("norm_eps", "layer_norm_epsilon", "eps", "epsilon", "norm_epsilon", "ln_eps")
_DROPOUTS = ("dropout", "dropout_rate", "drop", "resid_pdrop", "p_drop", "drop_prob")
NUMBERS = (0.5, 0.25, 1.5, 2.0, 0.1, 0.75, 3.0, 0.2, 0.125, 4.0, 0.3, 0.05, 1.25, 0.6, 0.9, 5.0, 0.01, 2.5)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one family uses of everything."""

    unary: tuple[str, ...]
    binary: tuple[str, ...]
    along: tuple[str, ...]
    pools: tuple[str, ...]
    spreads: tuple[str, ...]
    split: str
    merge: str
    score: str
    weighting: str
    has_heads: bool
    layers: tuple[str, ...]  # kinds of modules with weights
    width: str  # names of the configuration
    heads: str
    depth: str
    words: str
    epsilon: str
    dropout: str
    expansion: float


LAYERS = (
    "linear",
    "narrow",
    "gated",
    "convolution",
    "pointwise",
    "scale",
    "norm",
    "bilinear",
    "table",
    "group",
    "pair",
)


def dialect(rng: random.Random) -> Dialect:
    """Draw one."""
    return Dialect(
        unary=tuple(rng.sample(UNARY, 5)),
        binary=tuple(rng.sample(BINARY, 4)),
        along=tuple(rng.sample(ALONG, 4)),
        pools=tuple(rng.sample(POOLS, 2)),
        spreads=tuple(rng.sample(SPREADS, 2)),
        split=rng.choice(SPLITS),
        merge=rng.choice(MERGES),
        score=rng.choice(SCORES),
        weighting=rng.choice(WEIGHTINGS),
        has_heads=rng.random() < 0.6,
        layers=tuple(rng.sample(LAYERS, 4)),
        width=rng.choice(_WIDTHS),
        heads=rng.choice(_HEADS),
        depth=rng.choice(_LAYERS),
        words=rng.choice(_WORDS),
        epsilon=rng.choice(_EPSILONS),
        dropout=rng.choice(_DROPOUTS),
        expansion=rng.choice((2, 3, 4, 1.5, 2.5, 1.25)),
    )
