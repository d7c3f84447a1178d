# SPDX-License-Identifier: Apache-2.0
"""Matrix products in bf16 against cuBLAS (torch.mm). Decode: every projection of BlackMamba 1.5B and 2.8B and the tied
head, weights cold; where a projection is large enough to be bound by memory, also the share of the bandwidth of the
faster of two copies, which counts bytes read and bytes written, in the same rounds."""
import math

from bench.gpu.contest import OURS, Claim, Contest, Field
from bench.gpu.timing import Contender, cold_sets

RIVAL = "cuBLAS (torch.mm)"
COPIES = ("copy of 1 GB, driver", "copy of 1 GB, kernel")
BOUND = 5e-3  # of the norm: bf16 output
PREFILL = [(4096, 4096, 4096), (2048, 5888, 1472), (16384, 7744, 1472), (2048, 1472, 2944), (1000, 7744, 1472)]
PROJECTIONS = {  # (K, N)
    "1.5B": {"in": (1152, 4608), "x": (2304, 104), "dt": (72, 2304), "out": (2304, 1152), "fc1": (1152, 6144),
             "fc2": (3072, 1152)},
    "2.8B": {"in": (1472, 5888), "x": (2944, 124), "dt": (92, 2944), "out": (2944, 1472), "fc1": (1472, 7744),
             "fc2": (3872, 1472), "head": (1472, 50304)}}
UNTUNED = {"in": (2560, 10240), "out": (5120, 2560), "x": (5120, 192)}  # of Mamba 2.8B: no table has these widths
BOUND_BY_MEMORY = 8.5e6  # bytes of weights
SHARE, SHARE_OF_HEAD, UNTUNED_GOAL = 0.6, 0.85, 0.8
FEW = 64  # rows up to which weights come from memory


def operands(torch, M, N, K, sets):
    return (torch.randn(M, K).bfloat16(),
            (torch.randn(sets, N, K) / K**0.5).bfloat16())


def cublas(torch, x, w, cold):
    sets, y = len(w), torch.empty(x.shape[0], w.shape[1], dtype=torch.bfloat16)
    turned = w.transpose(1, 2)

    def results():
        torch.mm(x, turned[0], out=y.fill_(math.nan))
        return [y]

    return Contender(RIVAL, lambda i: torch.mm(x, turned[i % sets], out=y), sets=sets, cold=cold, results=results,
                     work=w[0].numel() * 2)


def kingsnake(bench, x, w, cold):
    torch, (sets, N, K), M = bench.torch, w.shape, x.shape[0]
    y = torch.empty(M, N, dtype=torch.bfloat16)
    runs = [bench.bind("linear", M=M, K=K, P=N, io="bf16", out="bf16", panel="1", weight="bf16", x=x, w=w[i], y=y)
            for i in range(sets)]

    def results():
        y.fill_(math.nan)
        runs[0]()
        return [y]

    return Contender(OURS, lambda i: runs[i % sets](), sets=sets, cold=cold, results=results, work=w[0].numel() * 2)


def copies(torch):
    source = torch.randint(-2**31, 2**31, (250_000_000,), dtype=torch.int32)
    target = torch.empty_like(source)
    runs = (lambda i: target.copy_(source), lambda i: torch.add(source, 1, out=target))
    for name, run in zip(COPIES, runs, strict=True):
        yield Contender(name, run, cold=True, work=2 * source.numel() * 4)


def build(M, N, K, cold, bandwidth=False):
    def of(bench):
        torch = bench.torch
        x, w = operands(torch, M, N, K, cold_sets(N * K * 2, bench.device.cache_bytes) if cold else 1)
        field = Field([], [x.double() @ w[0].double().t()], BOUND)
        field.add(OURS, lambda: kingsnake(bench, x, w, cold))
        field.add(RIVAL, lambda: cublas(torch, x, w, cold))
        if bandwidth:
            field.contenders.extend(copies(torch))
        return field

    return of


def prefill(M, N, K):
    return Contest([Claim(f"linear-{M}x{N}x{K}", "product", f"bf16 M={M} N={N} K={K}", (RIVAL,), 1.0)],
                   build(M, N, K, cold=False))


def decode(model, name, M):
    K, N = PROJECTIONS[model][name]
    ident, megabytes = f"linear-decode-{model}-{name}-M{M}", N * K * 2e-6
    what, shape = f"product, decode, {name} of {model}, cold", f"bf16 M={M} N={N} K={K} ({megabytes:.3g} MB)"
    claims = [Claim(ident, what, shape, (RIVAL,), 1.0)]
    if N * K * 2 >= BOUND_BY_MEMORY:
        goal = SHARE_OF_HEAD if name == "head" else SHARE
        claims.append(Claim(ident + "-bandwidth", what, shape, COPIES, goal, unit="GB/s"))
    return Contest(claims, build(M, N, K, cold=True, bandwidth=len(claims) > 1))


def untuned(name, M):
    K, N = UNTUNED[name]
    what = f"product, usual kernel, {name} of Mamba 2.8B" + ", cold" * (M <= FEW)
    return Contest([Claim(f"linear-untuned-{name}-M{M}", what, f"bf16 M={M} N={N} K={K}", (RIVAL,), UNTUNED_GOAL)],
                   build(M, N, K, cold=M <= FEW))


def contests():
    for size in PREFILL:
        yield prefill(*size)
    for M in (1, 8, 64):
        for model, projections in PROJECTIONS.items():
            for name in projections:
                yield decode(model, name, M)
    for M in (1, 8, 64, 512, 2048):
        for name in UNTUNED:
            yield untuned(name, M)
