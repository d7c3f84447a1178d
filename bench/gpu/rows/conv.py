# SPDX-License-Identifier: Apache-2.0
"""Causal convolution of 4 taps with SiLU against both kernels of causal-conv1d, each in the layout that it wants (so
without transposes); the faster counts. Ours also reads the state before and writes the one after."""
import math

from bench.gpu import reference
from bench.gpu.contest import OURS, Claim, Contest, Field
from bench.gpu.rows.scan import BOUND, ragged_lengths
from bench.gpu.timing import Contender

D, STEPS, TAPS = 2944, 2048, 4
RAGGED = (64, 512)  # sequences, the longest; rivals run all as long as that
RIVALS = ("causal-conv1d, channels contiguous", "causal-conv1d, steps contiguous")


def causal_conv1d(rivals, name, x, weight, bias, pick):
    """x [batch, steps, D]; the rival wants [batch, D, steps]."""
    conv = rivals["causal_conv1d"]
    swapped = x.transpose(1, 2)
    if name == RIVALS[1]:
        swapped = swapped.contiguous()
    y = swapped.clone()  # keeps the strides

    def results():
        y.fill_(math.nan)
        conv(swapped, weight, bias, y)
        return [pick(y.transpose(1, 2))]

    return Contender(name, lambda i: conv(swapped, weight, bias, y), results=results)


def kingsnake(bench, x, weight, bias, sequences, starts=None):
    """x [T, D], packed."""
    torch = bench.torch
    state, y, taps = torch.zeros(sequences, TAPS - 1, D), torch.empty_like(x), weight.t().contiguous()
    run = bench.bind("causal_conv1d", T=x.shape[0], D=D, W=str(TAPS), io="bf16", sequences=sequences, seq_start=starts,
                     x=x, weight=taps, bias=bias, state=state, y=y, flags=2)

    def results():
        state.zero_()
        y.fill_(math.nan)
        run()
        return [y]

    return Contender(OURS, lambda i: run(), results=results)


def build(batch, steps, ragged=False):
    def of(bench):
        torch = bench.torch
        x = torch.randn(batch, steps, D).bfloat16()
        weight, bias = torch.randn(D, TAPS) / 2, torch.randn(D)
        lengths = torch.tensor(ragged_lengths(batch, steps) if ragged else [steps] * batch)
        mask = torch.arange(steps) < lengths[:, None]
        starts = torch.nn.functional.pad(lengths.cumsum(0), (1, 0)) if ragged else None
        note = f"{int(lengths.sum())} steps; rivals run {batch * steps} with the padding" if ragged else ""
        field = Field([], [reference.causal_conv1d(torch, x, weight, bias)[mask]], BOUND["bf16"], note=note)
        field.add(OURS, lambda: kingsnake(bench, x[mask], weight, bias, batch, starts))
        for name in RIVALS:
            field.add(name, lambda name=name: causal_conv1d(bench.rivals, name, x, weight, bias, lambda y: y[mask]))
        return field

    return of


def contests():
    for batch in (1, 8):
        shape = f"bf16 B={batch} L={STEPS} D={D} W={TAPS}"
        yield Contest([Claim(f"conv-B{batch}", "convolution and SiLU", shape, RIVALS, 1.0)], build(batch, STEPS))
    sequences, longest = RAGGED
    shape = f"bf16 {sequences} sequences of 1 to {longest} steps D={D} W={TAPS}"
    yield Contest([Claim("conv-ragged", "convolution and SiLU, ragged", shape, RIVALS, 1.0)],
                  build(sequences, longest, ragged=True))
