# SPDX-License-Identifier: Apache-2.0
"""Selective scan forward, N = 16, with softplus, skip and gate, against mamba_ssm. Ours takes the state before and
gives the one after; mamba_ssm starts from 0, gives the one after, and writes the output before the gate besides.
Layouts are each side's own: ours [steps, D], mamba_ssm's [batch, D, steps]. Operands stay in place (warm)."""
import math
import random
from types import SimpleNamespace

from bench.gpu import reference
from bench.gpu.contest import OURS, Claim, Contest, Field
from bench.gpu.timing import Contender

N = 16
RIVAL = "mamba_ssm selective_scan_cuda"
BOUND = {"bf16": 5e-3, "f16": 1e-3, "f32": 1e-4}  # of the norm; mamba_ssm is built with --use_fast_math
CHECKED = 512  # channels, from both ends and between, that are compared with the reference
LARGE, SMALL, WIDER = 2.6, 2.4, 1.5
SIZES = [("bf16", 8, 2048, 5120, LARGE), ("bf16", 8, 2048, 3072, LARGE), ("bf16", 64, 512, 1024, SMALL),
         ("bf16", 1, 2048, 5120, 2.0), ("bf16", 1, 2048, 3072, 1.8), ("bf16", 1, 2048, 2944, 1.8),
         ("bf16", 1, 2048, 2304, 1.5), ("bf16", 1, 8192, 3072, 2.2), ("bf16", 1, 512, 1024, 1.35),
         ("f32", 8, 2048, 3072, WIDER), ("f16", 8, 2048, 3072, WIDER), ("bf16", 8, 2048, 3000, WIDER)]
RAGGED = ("bf16", 64, 512, 1024, WIDER)


def storage(torch, dtype):
    return {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}[dtype]


def operands(torch, dtype, batch, steps, D):
    """A near -1 to -N, steps of 1e-3 to 1e-1, the rest normal."""
    normal = lambda *shape: torch.randn(*shape)
    o = SimpleNamespace()
    o.u, o.z = (normal(batch, steps, D).to(storage(torch, dtype)) for _ in range(2))
    o.dt = (normal(batch, steps, D) * 0.5).to(storage(torch, dtype))
    o.B, o.C = (normal(batch, steps, N).to(storage(torch, dtype)) for _ in range(2))
    o.A = -torch.arange(1, N + 1) * (1 + 0.1 * torch.rand(D, N))
    o.D = normal(D)
    o.bias = torch.log(torch.expm1(torch.exp(torch.rand(D) * math.log(100) + math.log(1e-3))))
    o.state = torch.zeros(batch, D, N)
    return o


def channels(torch, D):
    return torch.linspace(0, D - 1, min(D, CHECKED)).round().long()


def expected(torch, o, seen, mask=None):
    return reference.selective_scan(torch, o.u[..., seen], o.dt[..., seen], o.z[..., seen], o.A[seen], o.B, o.C,
                                    o.D[seen], o.bias[seen], o.state[:, seen], mask)


def mamba_ssm(torch, rivals, o, pick):
    """pick(y, state) takes what is compared out of y [batch, steps, D] and the state."""
    scan = rivals["selective_scan"]
    u, dt, z, B, C = (x.transpose(1, 2).contiguous() for x in (o.u, o.dt, o.z, o.B, o.C))
    B, C = B[:, None], C[:, None]

    def results():
        y, state = scan(u, dt, o.A, B, C, o.D, z, o.bias)
        return pick(y.transpose(1, 2), state)

    return Contender(RIVAL, lambda i: scan(u, dt, o.A, B, C, o.D, z, o.bias), results=results)


def kingsnake(bench, dtype, o, sequences, pick, starts=None):
    """u, dt, z [T, D] and B, C [T, N] of o, packed."""
    torch = bench.torch
    T, D = o.u.shape
    A = (o.A * math.log2(math.e)).t().contiguous()
    state, y = torch.empty(sequences, N, D), torch.empty_like(o.u)
    run = bench.bind("selective_scan", T=T, D=D, N=N, io=dtype, sequences=sequences, seq_start=starts, u=o.u, dt=o.dt,
                     z=o.z, A=A, B=o.B, C=o.C, D_skip=o.D, dt_bias=o.bias, state=state, y=y, flags=8)

    def results():
        state.zero_()
        y.fill_(math.nan)
        run()
        return pick(y, state.transpose(1, 2))

    return Contender(OURS, lambda i: run(), results=results)


def build(dtype, batch, steps, D):
    def of(bench):
        torch = bench.torch
        o = operands(torch, dtype, batch, steps, D)
        seen = channels(torch, D)
        pick = lambda y, state: [y.reshape(batch, steps, D)[..., seen], state[:, seen]]
        field = Field([], expected(torch, o, seen), BOUND[dtype])
        flat = SimpleNamespace(**{k: v.reshape(batch * steps, -1) if v.dim() == 3 and k != "state" else v
                                  for k, v in vars(o).items()})
        field.add(OURS, lambda: kingsnake(bench, dtype, flat, batch, pick))
        field.add(RIVAL, lambda: mamba_ssm(torch, bench.rivals, o, pick))
        return field

    return of


def ragged_lengths(sequences, longest):
    """Random, with both ends among them."""
    lengths = [1, longest] + random.Random(1).choices(range(1, longest + 1), k=sequences - 2)
    random.Random(2).shuffle(lengths)
    return lengths


def build_ragged(dtype, sequences, longest, D):
    def of(bench):
        torch = bench.torch
        o = operands(torch, dtype, sequences, longest, D)
        lengths = torch.tensor(ragged_lengths(sequences, longest))
        mask = torch.arange(longest) < lengths[:, None]
        o.dt.masked_fill_(~mask[..., None], -100)  # padding: a step of 0, which leaves the state alone
        starts = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
        seen = channels(torch, D)
        wanted = expected(torch, o, seen, mask)
        field = Field([], [wanted[0][mask], wanted[1]], BOUND[dtype],
                      note=f"{int(starts[-1])} steps; mamba_ssm runs {sequences * longest} with the padding")
        packed = SimpleNamespace(**{k: v[mask] if v.dim() == 3 and k != "state" else v for k, v in vars(o).items()})
        ours = lambda y, state: [y[:, seen], state[:, seen]]
        theirs = lambda y, state: [y[mask][:, seen], state[:, seen]]
        field.add(OURS, lambda: kingsnake(bench, dtype, packed, sequences, ours, starts))
        field.add(RIVAL, lambda: mamba_ssm(torch, bench.rivals, o, theirs))
        return field

    return of


def contests():
    for dtype, batch, steps, D, goal in SIZES:
        yield Contest([Claim(f"scan-{dtype}-B{batch}-L{steps}-D{D}", "selective scan",
                             f"{dtype} B={batch} L={steps} D={D} N={N}", (RIVAL,), goal)],
                      build(dtype, batch, steps, D))
    dtype, sequences, longest, D, goal = RAGGED
    yield Contest([Claim(f"scan-{dtype}-ragged-D{D}", "selective scan, ragged",
                         f"{dtype} {sequences} sequences of 1 to {longest} steps D={D} N={N}", (RIVAL,), goal)],
                  build_ragged(*RAGGED[:4]))
