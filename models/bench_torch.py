# SPDX-License-Identifier: Apache-2.0
# Tokens per second of a BlackMamba folder in PyTorch on a CPU, as JSON: a rival to measure the runtime against.
# Prefill has no loop over time, only over the steps inside a chunk (all chunks at once) and over the carries;
# decode updates its states in place. Each is tried as it is and through torch.compile; the faster one counts.
#
#   python3 models/bench_torch.py --model models/kjv-8x11m --dtype bf16 --threads 1 -p 512 -n 128
import argparse
import json
import pathlib
import platform
import statistics
import sys
import time

import torch
from torch.nn import functional as F

from reference import Reference

EPS = 1e-5


class Model:
    """Weights of a folder, packed: expert weights stacked, decay and biases in float32."""

    def __init__(self, folder, dtype):
        ref = Reference(folder, dtype)
        w, self.dtype, self.act = ref.weights, ref.dtype, ref.activation
        self.words = w["embedding.word_embeddings.weight"]
        self.final = [w[f"decoder.final_layernorm.{n}"].float() for n in ("weight", "bias")]
        self.states, self.taps = ref.config["state_size"], ref.config["conv_dimension"]
        self.layers = []
        for i, kind in enumerate(ref.kinds):
            p = f"decoder.layers.{i}.mixer."
            own = {k[len(p) :]: v for k, v in w.items() if k.startswith(p)}
            layer = {"norm": w[f"decoder.layers.{i}.norm.weight"].float()}
            if kind == "r":
                layer.update(own)
                layer["conv"] = own["conv1d.weight"][:, 0].float().T.contiguous()
                layer["conv_bias"], layer["dt_bias"] = own["conv1d.bias"].float(), own["dt_proj.bias"].float()
                layer["A"], layer["D"] = -own["A_log"].float().exp(), own["D"].float()
            else:
                layer["router"], layer["router_bias"] = own["router.weight"].float(), own["router.bias"].float()
                for fc in ("linear_fc1", "linear_fc2"):
                    layer[fc] = torch.stack([own[f"local_experts.{e}.{fc}.weight"] for e in range(int(kind))])
            self.layers.append(layer)

    def new_state(self):
        return [
            [torch.zeros(self.taps - 1, la["D"].shape[0]), torch.zeros(*la["A"].shape)] if "A" in la else []
            for la in self.layers
        ]

    def norm(self, x, weight):
        return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * weight).to(self.dtype)

    def head(self, x, linear=F.linear):
        return linear(F.layer_norm(x, x.shape[-1:], *self.final, EPS).to(self.dtype), self.words).float()

    def split(self, la, x, linear=F.linear):
        low = linear(x, la["x_proj.weight"])
        rank = low.shape[-1] - 2 * self.states
        raw = linear(low[..., :rank], la["dt_proj.weight"])
        delta = F.softplus(raw.float() + la["dt_bias"])
        return delta, low[..., rank : rank + self.states].float(), low[..., rank + self.states :].float()


def scan(delta, inputs, b, c, a, h0, chunk):
    """y[t] = c[t] . h[t] for [L, D] operands, L a multiple of chunk; and the last state."""
    length, width = delta.shape
    count = length // chunk
    delta, inputs = delta.view(count, chunk, width), inputs.view(count, chunk, width)
    b, c = b.view(count, chunk, 1, -1), c.view(count, chunk, -1, 1)
    decays, pushes, h = [], [], 0.0
    for t in range(chunk):  # what each chunk adds on its own
        decays.append(torch.exp(delta[:, t, :, None] * a))
        pushes.append(inputs[:, t, :, None] * b[:, t])
        h = torch.addcmul(pushes[t], decays[t], h) if t else pushes[t]
    through = torch.exp(delta.sum(1)[..., None] * a)
    starts, state = [], h0
    for k in range(count):  # carries
        starts.append(state)
        state = torch.addcmul(h[k], through[k], state)
    h, rows = torch.stack(starts), []
    for t in range(chunk):  # replay from the right states
        h = torch.addcmul(pushes[t], decays[t], h)
        rows.append(torch.matmul(h, c[:, t]).squeeze(-1))
    return torch.stack(rows, 1).view(length, width), state


def mamba_prefill(model, la, u, state, chunk):
    length = u.shape[0]
    x, z = F.linear(u, la["in_proj.weight"]).chunk(2, -1)
    seen = torch.cat([state[0], x.float()])
    sums = la["conv_bias"] + sum(seen[i : i + length] * la["conv"][i] for i in range(model.taps))
    x = F.silu(sums).to(model.dtype)
    delta, b, c = model.split(la, x)
    wide = x.float()
    y, last = scan(delta, delta * wide, b, c, la["A"], state[1], chunk)
    out = ((y + la["D"] * wide) * F.silu(z.float())).to(model.dtype)
    return F.linear(out, la["out_proj.weight"]), seen[length:].clone(), last


def experts_prefill(model, la, x):
    best, index = F.linear(x.float(), la["router"], la["router_bias"]).max(-1)
    order = index.argsort()
    parts = x[order].split(torch.bincount(index, minlength=la["router"].shape[0]).tolist())
    made = []
    for part, fc1, fc2 in zip(parts, la["linear_fc1"], la["linear_fc2"]):
        gate, up = F.linear(part, fc1).chunk(2, -1)
        made.append(F.linear(model.act(gate) * up, fc2))
    out = torch.empty_like(x)
    out[order] = torch.cat(made)
    return out * torch.sigmoid(best)[:, None].to(model.dtype)


def prefill(model, ids, chunk, mixer=mamba_prefill):
    """Logits after the last token, and the states to go on from."""
    x, states = model.words[ids].float(), model.new_state()
    for la, state in zip(model.layers, states):
        u = model.norm(x, la["norm"])
        if "A" in la:
            out, state[0], state[1] = mixer(model, la, u, state, chunk)
        else:
            out = experts_prefill(model, la, u)
        x = x + out.float()
    return model.head(x[-1]), states


def product(x, weight):
    """A matrix-vector product that the compiler can fuse, an indexed read of the matrix included."""
    return (weight.float() * x.float()).sum(-1).to(x.dtype)


def mamba_step(model, la, u, state, linear):
    x, z = linear(u, la["in_proj.weight"]).chunk(2, -1)
    seen = torch.cat([state[0], x.float()[None]])
    state[0].copy_(seen[1:])
    x = F.silu(la["conv_bias"] + (seen * la["conv"]).sum(0)).to(model.dtype)
    delta, b, c = model.split(la, x, linear)
    wide = x.float()
    state[1].mul_(torch.exp(delta[:, None] * la["A"])).add_((delta * wide)[:, None] * b)
    y = (state[1] * c).sum(-1) + la["D"] * wide
    return linear((y * F.silu(z.float())).to(model.dtype), la["out_proj.weight"])


def expert_step(model, la, x, linear):
    best, index = linear(x.float(), la["router"]).add(la["router_bias"]).max(-1)
    if not torch.compiler.is_compiling():
        index = int(index)  # a view of the expert instead of a copy
    gate, up = linear(x, la["linear_fc1"][index]).chunk(2, -1)
    return linear(model.act(gate) * up, la["linear_fc2"][index]) * torch.sigmoid(best).to(model.dtype)


def step(model, token, states, linear):
    """Logits after one more token; the states are updated in place."""
    x = model.words[token].float()
    for la, state in zip(model.layers, states):
        u = model.norm(x, la["norm"])
        x = x + (mamba_step(model, la, u, state, linear) if "A" in la else expert_step(model, la, u, linear)).float()
    return model.head(x, linear)


def seconds(run, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def try_forms(forms, repeats):
    """The fastest of several forms of one thing, each warmed up first; a form that cannot run is reported."""
    times = {}
    for name, run in forms.items():
        try:
            seconds(run, 2)
            times[name] = seconds(run, repeats)
        except Exception as error:
            print(f"bench_torch: {name}: {str(error).splitlines()[0]}", file=sys.stderr)
    best = min(times, key=times.get)
    return best, times[best], {name: round(value, 6) for name, value in times.items()}


def run_decode(model, one_step, logits, states, count):
    made, states = [], [[t.clone() for t in state] for state in states]
    for _ in range(count):
        token = logits.argmax(-1)
        made.append(int(token))
        logits = one_step(token, states)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-p", "--prompt", type=int, default=512)
    parser.add_argument("-n", "--new", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)
    model = Model(args.model, args.dtype)
    ids = torch.randint(1, model.words.shape[0], (args.prompt,), generator=torch.Generator().manual_seed(1))
    chunks = [c for c in (4, 8, 16, 32, 64) if args.prompt % c == 0] or [1]
    forms = {f"eager, chunk {c}": lambda c=c: prefill(model, ids, c) for c in chunks}
    steps = {"eager": lambda token, states: step(model, token, states, F.linear)}
    if not args.no_compile:
        torch._dynamo.config.cache_size_limit = torch._dynamo.config.recompile_limit = 64
        mixer = torch.compile(mamba_prefill, dynamic=False)
        whole = torch.compile(step, dynamic=False)
        forms.update({f"compiled, chunk {c}": lambda c=c: prefill(model, ids, c, mixer) for c in chunks if c in (8, 16)})
        steps["compiled"] = lambda token, states: whole(model, token, states, F.linear)
        steps["compiled, fused products"] = lambda token, states: whole(model, token, states, product)
    logits, states = prefill(model, ids, chunks[-1])
    want = Reference(args.model, "f32").forward(ids)[0][-1]
    name, prompt_time, prompt_all = try_forms(forms, args.repeats)
    runs = {k: lambda s=s: run_decode(model, s, logits, states, args.new) for k, s in steps.items()}
    how, decode_time, decode_all = try_forms(runs, args.repeats)
    result = {
        "engine": f"PyTorch {torch.__version__}",
        "machine": platform.machine(),
        "dtype": args.dtype,
        "threads": args.threads,
        "prompt": args.prompt,
        "new": args.new,
        "prefill_tokens_per_s": round(args.prompt / prompt_time, 1),
        "prefill_form": name,
        "prefill_seconds": prompt_all,
        "decode_tokens_per_s": round(args.new / decode_time, 1),
        "decode_form": how,
        "decode_seconds": decode_all,
        "relative_error_of_logits": float(f"{((logits - want).norm() / want.norm()).item():.2e}"),
        "same_greedy_tokens": len({tuple(run()) for run in runs.values()}) == 1,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
