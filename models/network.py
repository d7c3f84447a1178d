# SPDX-License-Identifier: Apache-2.0
# BlackMamba in plain PyTorch, for training: Mamba-1 mixers and top-1 experts alternate on an fp32 residual.
# The scan is parallel over batch, channels, states and chunks of time. Sinkhorn chooses the experts in training
# mode, the largest router logit in evaluation mode.
import math

import torch
from torch import nn
from torch.nn import functional as F

EPS = 1e-5


def _scan_forward(a, b, chunk):
    """h[t] = a[t] h[t-1] + b[t] over dimension 1 of [B, L, D, N], h[-1] = 0."""
    batch, length, width, states = a.shape
    pad = -length % chunk
    if pad:
        a = F.pad(a, (0, 0, 0, 0, 0, pad), value=1.0)
        b = F.pad(b, (0, 0, 0, 0, 0, pad))
    shape = (batch, (length + pad) // chunk, chunk, width, states)
    h = b.clone().view(shape)
    p = a.clone().view(shape)
    for t in range(1, chunk):  # all chunks at once: local states and running products
        h[:, :, t].addcmul_(p[:, :, t], h[:, :, t - 1])
        p[:, :, t].mul_(p[:, :, t - 1])
    for c in range(1, shape[1]):  # carry the last state of a chunk into the next one
        h[:, c].addcmul_(p[:, c], h[:, c - 1, -1].unsqueeze(1))
    return h.view(batch, length + pad, width, states)[:, :length]


class Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b, chunk):
        h = _scan_forward(a, b, chunk)
        ctx.save_for_backward(a, h)
        ctx.chunk = chunk
        return h

    @staticmethod
    def backward(ctx, dh):
        a, h = ctx.saved_tensors
        # g[t] = dh[t] + a[t+1] g[t+1]: the same recurrence with time reversed
        later = F.pad(a[:, 1:], (0, 0, 0, 0, 0, 1))
        g = _scan_forward(later.flip(1), dh.flip(1), ctx.chunk).flip(1)
        before = F.pad(h[:, :-1], (0, 0, 0, 0, 1, 0))
        return g * before, g, None


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * self.weight


class Mamba(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        hidden, states = cfg["hidden_size"], cfg["state_size"]
        inner, rank = cfg["expansion_factor"] * hidden, math.ceil(hidden / 16)
        self.sizes, self.chunk = (rank, states, states), 32
        self.in_proj = nn.Linear(hidden, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, cfg["conv_dimension"], groups=inner, padding=cfg["conv_dimension"] - 1)
        self.x_proj = nn.Linear(inner, rank + 2 * states, bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        self.A_log = nn.Parameter(torch.arange(1, states + 1).float().log().repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, hidden, bias=False)
        with torch.no_grad():
            self.dt_proj.weight.uniform_(-(rank**-0.5), rank**-0.5)
            dt = torch.exp(torch.rand(inner) * math.log(100.0) + math.log(1e-3)).clamp(min=1e-4)
            self.dt_proj.bias.copy_(dt + torch.log(-torch.expm1(-dt)))
            self.out_proj.weight.div_(math.sqrt(cfg["num_layers"]))

    def forward(self, u):
        length = u.shape[1]
        x, z = self.in_proj(u).chunk(2, -1)
        x = F.silu(self.conv1d(x.transpose(1, 2))[..., :length].transpose(1, 2))
        low, b, c = self.x_proj(x).split(self.sizes, -1)
        raw = F.linear(low, self.dt_proj.weight)
        with torch.autocast(u.device.type, enabled=False):
            x, b, c = x.float(), b.float(), c.float()
            delta = F.softplus(raw.float() + self.dt_proj.bias)
            a = torch.exp(delta.unsqueeze(-1) * -self.A_log.float().exp())
            h = Scan.apply(a, (delta * x).unsqueeze(-1) * b.unsqueeze(2), self.chunk)
            y = torch.einsum("bldn,bln->bld", h, c) + self.D * x
        return self.out_proj(y * F.silu(z.float()))


def sinkhorn(logits, passes_min, passes_max=100):
    """The balanced plan [T, E] of BlackMamba's router for raw logits [T, E].
    The exponent has the factor 2 and the start is the reciprocal column sum; at least passes_min passes are made,
    then passes go on until the column scale moves by 1e-4 at most."""
    k = torch.exp(2.0 * logits.double())
    tokens, experts = k.shape
    d1 = 1.0 / (experts * k.sum(0))
    for n in range(passes_max):
        d0 = (1.0 / tokens) / ((k * d1).sum(1) + 1e-8)
        old, d1 = d1, (1.0 / experts) / ((k * d0.unsqueeze(1)).sum(0) + 1e-8)
        if n + 1 >= passes_min and (old - d1).abs().mean() <= 1e-4:
            break
    return d1 * k * d0.unsqueeze(1)


class Expert(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        hidden, ffn = cfg["hidden_size"], cfg["ffn_hidden_size"]
        self.linear_fc1 = nn.Linear(hidden, 2 * ffn, bias=False)
        self.linear_fc2 = nn.Linear(ffn, hidden, bias=False)
        with torch.no_grad():
            self.linear_fc2.weight.div_(math.sqrt(cfg["num_layers"]))

    def forward(self, x):
        gate, up = self.linear_fc1(x).chunk(2, -1)
        return self.linear_fc2(F.silu(gate) * up)


class SwitchMLP(nn.Module):
    def __init__(self, cfg, experts):
        super().__init__()
        self.router = nn.Linear(cfg["hidden_size"], experts)
        self.local_experts = nn.ModuleList(Expert(cfg) for _ in range(experts))
        self.balance, self.passes_min = False, 1
        self.shares = []  # share of the tokens each expert took, one row per call

    def choose(self, logits):
        if not self.balance:
            return logits.argmax(-1)
        with torch.no_grad():
            return sinkhorn(logits, self.passes_min).argmax(-1)

    def forward(self, x):
        rows = x.reshape(-1, x.shape[-1])
        with torch.autocast(x.device.type, enabled=False):
            logits = self.router(rows.float())
        index = self.choose(logits.detach())
        gate = torch.sigmoid(logits.gather(1, index.unsqueeze(1)))
        counts = torch.bincount(index, minlength=logits.shape[1])
        self.shares.append(counts / rows.shape[0])
        order = index.argsort(stable=True)
        parts = rows[order].split(counts.tolist())
        out = torch.cat([expert(part) for expert, part in zip(self.local_experts, parts)])
        return (out[order.argsort()] * gate).view(x.shape)


class Layer(nn.Module):
    def __init__(self, cfg, kind):
        super().__init__()
        self.norm = RMSNorm(cfg["hidden_size"])
        self.mixer = Mamba(cfg) if kind == "r" else SwitchMLP(cfg, int(kind))


class BlackMamba(nn.Module):
    """Module names spell the keys of the released checkpoints."""

    def __init__(self, cfg, dropout=0.0):
        super().__init__()
        hidden = cfg["hidden_size"]
        self.embedding = nn.ModuleDict({"word_embeddings": nn.Embedding(cfg["vocab_size"], hidden)})
        self.decoder = nn.Module()
        self.decoder.layers = nn.ModuleList(Layer(cfg, kind) for kind in cfg["mamba_moe_layers"])
        self.decoder.final_layernorm = nn.LayerNorm(hidden, eps=EPS)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding["word_embeddings"].weight, std=0.02)

    def switches(self):
        return [layer.mixer for layer in self.decoder.layers if isinstance(layer.mixer, SwitchMLP)]

    def forward(self, ids):
        words = self.embedding["word_embeddings"]
        x = self.dropout(words(ids).float())
        for layer in self.decoder.layers:
            x = x + self.dropout(layer.mixer(layer.norm(x)).float())
        return F.linear(self.decoder.final_layernorm(x), words.weight)
