# SPDX-License-Identifier: Apache-2.0
"""One step of the selective scan (decode, one layer of BlackMamba 2.8B) against mamba_ssm's Triton kernel; states in
f32 on both sides, operands in bf16. Cold: between two steps of a layer the weights of all others pass the cache."""
import math
from types import SimpleNamespace

from bench.gpu import reference
from bench.gpu.contest import OURS, Claim, Contest, Field
from bench.gpu.rows.scan import BOUND, N
from bench.gpu.timing import Contender, cold_sets

D = 2944
RIVAL = "mamba_ssm selective_state_update (Triton)"


def operands(torch, sets, S):
    normal = lambda *shape: torch.randn(sets, *shape)
    o = SimpleNamespace()
    o.u, o.dt, o.z = (normal(S, D).bfloat16() for _ in range(3))
    o.B, o.C = (normal(S, N).bfloat16() for _ in range(2))
    o.A = -torch.arange(1, N + 1) * (1 + 0.1 * torch.rand(sets, D, N))
    o.D, o.bias = normal(D), normal(D) - 4
    o.state = normal(S, D, N) * 0.1
    return o


def expected(torch, o):
    one = SimpleNamespace(**{k: v[0] for k, v in vars(o).items()})
    step = lambda x: x[:, None]
    y, state = reference.selective_scan(torch, step(one.u), step(one.dt), step(one.z), one.A, step(one.B), step(one.C),
                                        one.D, one.bias, one.state)
    return [y[:, 0], state]


def triton(rivals, o):
    update = rivals["state_update"]
    states = o.state.clone()
    step = lambda state, i: update(state, o.u[i], o.dt[i], o.A[i], o.B[i], o.C[i], o.D[i], o.z[i], o.bias[i])

    def results():
        state = o.state[0].clone()
        return [step(state, 0), state]

    sets = len(states)
    return Contender(RIVAL, lambda i: step(states[i % sets], i % sets), sets=sets, cold=True, results=results)


def kingsnake(bench, o, S):
    torch, sets = bench.torch, len(o.u)
    A = (o.A * math.log2(math.e)).transpose(1, 2).contiguous()
    states, y = o.state.transpose(2, 3).contiguous(), torch.empty_like(o.u)
    runs = [bench.bind("selective_state_update", S=S, D=D, N=N, io="bf16", u=o.u[i], dt=o.dt[i], z=o.z[i], A=A[i],
                       B=o.B[i], C=o.C[i], D_skip=o.D[i], dt_bias=o.bias[i], state=states[i], y=y[i], flags=8)
            for i in range(sets)]

    def results():
        states.copy_(o.state.transpose(2, 3))
        y.fill_(math.nan)
        runs[0]()
        return [y[0], states[0].transpose(1, 2)]

    return Contender(OURS, lambda i: runs[i % sets](), sets=sets, cold=True, results=results)


def build(S):
    def of(bench):
        sets = cold_sets(S * D * (N * 4 + 8) + D * N * 4, bench.device.cache_bytes)
        o = operands(bench.torch, sets, S)
        field = Field([], expected(bench.torch, o), BOUND["bf16"])
        field.add(OURS, lambda: kingsnake(bench, o, S))
        field.add(RIVAL, lambda: triton(bench.rivals, o))
        return field

    return of


def contests():
    for S in (1, 8, 64, 128):
        shape = f"bf16 B={S} D={D} N={N}"
        yield Contest([Claim(f"state-update-B{S}", "state update, decode, cold", shape, (RIVAL,), 1.0)], build(S))
