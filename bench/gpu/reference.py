# SPDX-License-Identifier: Apache-2.0
"""What the ops compute, in float64 by torch: Mamba equations 2a and 2b with softplus, skip and gate; a causal
convolution; gated experts. Shares no code with any contender."""


def selective_scan(torch, u, dt, z, A, B, C, D, bias, state, mask=None):
    """u, dt, z [batch, L, D], B, C [batch, L, N], A [D, N], state [batch, D, N], mask [batch, L]: steps that are not
    padding. Returns y and the last state."""
    u, dt, z, A, B, C, D, bias, state = (x.double() for x in (u, dt, z, A, B, C, D, bias, state))
    delta = torch.nn.functional.softplus(dt + bias)
    if mask is not None:
        delta = delta * mask[..., None]
    y = torch.empty_like(u)
    for t in range(u.shape[1]):
        step = delta[:, t, :, None]
        state = torch.exp(step * A) * state + step * u[:, t, :, None] * B[:, t, None, :]
        y[:, t] = torch.einsum("bdn,bn->bd", state, C[:, t])
    return (y + D * u) * torch.nn.functional.silu(z), state


def causal_conv1d(torch, x, weight, bias):
    """x [batch, L, D], weight [D, W], nothing before the first step; with SiLU."""
    x, weight, bias = x.double(), weight.double(), bias.double()
    taps, steps = weight.shape[1], x.shape[1]
    padded = torch.nn.functional.pad(x, (0, 0, taps - 1, 0))
    y = sum(padded[:, w:w + steps] * weight[:, w] for w in range(taps)) + bias
    return torch.nn.functional.silu(y)


def experts(torch, x, logits, up, down):
    """Top 1 by the largest logit, its sigmoid as gate; up [E, 2 F, H]: rows that gelu takes, then its factors; down
    [E, H, F]."""
    hidden, y = up.shape[1] // 2, torch.empty_like(x, dtype=torch.float64)
    top, index = logits.double().max(dim=1)
    for e in range(up.shape[0]):
        rows = (index == e).nonzero().flatten()
        h = x[rows].double() @ up[e].double().t()
        h = torch.nn.functional.gelu(h[:, :hidden]) * h[:, hidden:]
        y[rows] = top[rows, None].sigmoid() * (h @ down[e].double().t())
    return y
