# SPDX-License-Identifier: Apache-2.0
"""Top-1 experts of BlackMamba 2.8B from router logits to the summed output (routing, gather, both products, gelu, gate
and scatter), against a chain around torch._grouped_mm: its other steps run eagerly, or the whole is given to
torch.compile; the faster counts. With few tokens, turns choose other experts, so that weights come from memory."""
from types import SimpleNamespace

from bench.gpu import reference
from bench.gpu.contest import OURS, Claim, Contest, Field
from bench.gpu.timing import Contender

E, H, F = 8, 1472, 3872
RIVALS = ("torch._grouped_mm chain, eager", "torch._grouped_mm chain, torch.compile")
BOUND = 6e-3  # of the norm: bf16 hidden values and output
SKEWED = 0.6  # of the tokens choose one expert, the others are spread evenly
TOKENS = [(1, 1.6), (8, 1.6), (64, 1.6), (512, 1.6), (2048, 1.6), (16384, 1.35)]


def loads(tokens, skewed):
    """Tokens of each expert."""
    first = round(SKEWED * tokens) if skewed else 0
    rest = tokens - first
    others = E - 1 if skewed else E
    even = [rest // others + (e < rest % others) for e in range(others)]
    return [first] + even if skewed else even


def operands(torch, tokens, skewed):
    """x and logits have one copy for each turn of the experts."""
    o = SimpleNamespace()
    sets = E if tokens <= 64 else 1
    o.up = (torch.randn(E, 2 * F, H) / H**0.5).bfloat16()
    o.down = (torch.randn(E, H, F) / F**0.5).bfloat16()
    o.x = torch.randn(sets, tokens, H).bfloat16()
    o.logits = torch.randn(sets, tokens, E)
    chosen = torch.repeat_interleave(torch.arange(E), torch.tensor(loads(tokens, skewed)))
    for turn in range(sets):
        expert = (chosen[torch.randperm(tokens)] + turn) % E
        top = o.logits[turn].max(dim=1).values + 0.1
        o.logits[turn].scatter_(1, expert[:, None], top[:, None])
    return o


def chain(torch):
    def run(x, logits, up, down):
        """up [E, H, 2 F], down [E, F, H], views of weights that lie as [out, in]."""
        top, index = logits.max(dim=1)
        order = index.argsort(stable=True)
        ends = (index[:, None] == torch.arange(E, device=x.device)).sum(dim=0).cumsum(0).int()
        h = torch._grouped_mm(x[order], up, offs=ends)
        h = torch.nn.functional.gelu(h[:, :F]) * h[:, F:]
        y = torch._grouped_mm(h, down, offs=ends)
        return torch.empty_like(x).index_copy_(0, order, (y * top.sigmoid()[order, None]).to(x.dtype))

    return run


def grouped_mm(torch, name, o):
    torch._dynamo.config.recompile_limit = 64  # one compilation a size
    run = torch.compile(chain(torch), dynamic=False) if name == RIVALS[1] else chain(torch)
    up, down, sets = o.up.transpose(1, 2), o.down.transpose(1, 2), len(o.x)
    return Contender(name, lambda i: run(o.x[i % sets], o.logits[i % sets], up, down), sets=sets, cold=sets > 1,
                     results=lambda: [run(o.x[0], o.logits[0], up, down)])


def slots_of_a_tile(tokens):
    """Few tokens: weights are read by the row; some for every expert: whole tiles of the tensor cores, the smaller ones
    up to some 64 tokens an expert."""
    return 1 if tokens == 1 else 8 if tokens < 64 else 64 if tokens <= 512 else 128


def layer(bench, o, turn):
    """The ops of one turn, in order, and y."""
    torch, T, B = bench.torch, o.x.shape[1], slots_of_a_tile(o.x.shape[1])
    G = min(T, (T + E * (B - 1)) // B)
    whole = lambda *shape: torch.empty(*shape, dtype=torch.int32)
    index, counts, offsets, permutation = whole(T), whole(E), whole(E + 1), whole(T)
    rows, experts, gate = whole(G, B), whole(G, B), torch.empty(T)
    h, y = torch.empty(G, B, F, dtype=torch.bfloat16), torch.empty(T, H, dtype=torch.bfloat16)
    tiles = {"T": T, "G": G, "B": B, "E": E, "rows": rows, "experts": experts, "weight": "bf16", "io": "bf16"}
    return [bench.bind("router", T=T, E=E, score="sigmoid", logits=o.logits[turn], index=index, gate=gate,
                       counts=counts, offsets=offsets, permutation=permutation),
            bench.bind("expert_tiles", T=T, E=E, G=G, B=B, counts=counts, offsets=offsets, permutation=permutation,
                       rows=rows, experts=experts),
            bench.bind("grouped_expert_up", K=H, F=F, act="gelu_erf", halves="2", x=o.x[turn], w=o.up, h=h, **tiles),
            bench.bind("grouped_expert_down", K=F, N=H, out="bf16", h=h, scale=gate, w=o.down, y=y, **tiles)], y


def kingsnake(bench, o):
    sets = len(o.x)
    layers = [layer(bench, o, turn) for turn in range(sets)]

    def run(i):
        for op in layers[i % sets][0]:
            op()

    def results():
        run(0)
        return [layers[0][1]]

    return Contender(OURS, run, sets=sets, cold=sets > 1, results=results)


def build(tokens, skewed):
    def of(bench):
        torch = bench.torch
        o = operands(torch, tokens, skewed)
        field = Field([], [reference.experts(torch, o.x[0], o.logits[0], o.up, o.down)], BOUND)
        field.add(OURS, lambda: kingsnake(bench, o))
        for name in RIVALS:
            field.add(name, lambda name=name: grouped_mm(torch, name, o))
        return field

    return of


def contests():
    for tokens, goal in TOKENS:
        for skewed in (False, True) if tokens > 1 else (False,):
            load = "" if tokens == 1 else "skewed" if skewed else "even"
            ident, shape = f"experts-T{tokens}-{load}".strip("-"), f"bf16 T={tokens} E={E} H={H} F={F} {load}".strip()
            yield Contest([Claim(ident, "experts, top 1", shape, RIVALS, goal)], build(tokens, skewed))
