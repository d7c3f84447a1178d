# SPDX-License-Identifier: Apache-2.0
# Checks the training network against the plain reference: scan and its gradients against a loop over time,
# logits of an exported folder against float64, one-token steps against the whole sequence, and Sinkhorn's balance.
#
#   python3 models/selfcheck.py
import pathlib
import tempfile

import torch

import export
from network import BlackMamba, Scan, sinkhorn
from reference import Reference

CONFIG = {
    "num_layers": 4,
    "hidden_size": 64,
    "state_size": 16,
    "conv_dimension": 4,
    "expansion_factor": 2,
    "mamba_moe_layers": ["r", "8", "r", "8"],
    "ffn_hidden_size": 96,
    "vocab_size": 256,
    "max_sequence_length": 128,
    "swiglu": True,
    "add_bias_linear": False,
    "activation": "silu",
}


def relative(out, ref):
    return ((out.double().cpu() - ref.double().cpu()).norm() / ref.double().norm().cpu()).item()


def check(name, value, limit):
    print(f"{name}: {value:.2e} (limit {limit:.0e})")
    if not value <= limit:
        raise SystemExit(f"selfcheck: {name} is over its limit")


def check_scan(device):
    for length in (1, 7, 64, 77):
        a = torch.rand(2, length, 6, 5, dtype=torch.float64, device=device).requires_grad_()
        b = torch.randn_like(a).requires_grad_()
        weight = torch.randn_like(a)
        h, rows = torch.zeros_like(a[:, 0]), []
        for t in range(length):
            h = a[:, t] * h + b[:, t]
            rows.append(h)
        ref = torch.stack(rows, 1)
        want = torch.autograd.grad((ref * weight).sum(), (a, b))
        out = Scan.apply(a, b, 32)
        got = torch.autograd.grad((out * weight).sum(), (a, b))
        check(f"scan, {length} steps", relative(out, ref), 1e-12)
        check("its gradient for the input", relative(got[1], want[1]), 1e-12)
        if length > 1:  # with one step the decay has no effect
            check("its gradient for the decay", relative(got[0], want[0]), 1e-12)


def check_network(device):
    torch.manual_seed(3)
    model = BlackMamba(CONFIG).to(device).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # no parameter may stay at a value that hides it
            parameter += 0.1 * parameter.std().nan_to_num(1.0).clamp(min=0.1) * torch.randn_like(parameter)
    export.round_to_bf16(model)
    ids = torch.randint(CONFIG["vocab_size"], (77,), device=device)
    with torch.no_grad():
        out = model(ids[None])[0]
    with tempfile.TemporaryDirectory() as folder:
        export.write_folder(pathlib.Path(folder), CONFIG, model.state_dict())
        wide, narrow, half = (Reference(folder, dtype, device) for dtype in ("f64", "f32", "bf16"))
    ref, _, _ = wide.forward(ids)
    check("network against the float64 reference", relative(out, ref), 1e-5)
    check("float32 reference", relative(narrow.forward(ids)[0], ref), 1e-5)
    print(f"bf16 reference: {relative(half.forward(ids)[0], ref):.2e}")
    state, rows = None, []
    for token in ids.tolist():
        logits, state, _ = wide.forward([token], state)
        rows.append(logits[0])
    check("steps against the whole sequence", relative(torch.stack(rows), ref), 1e-12)


def check_sinkhorn(device):
    torch.manual_seed(5)
    logits = torch.randn(4096, 8, device=device) + torch.randn(8, device=device)
    plan = sinkhorn(logits, 1)
    share = torch.bincount(plan.argmax(-1), minlength=8) / 4096
    check("largest share after Sinkhorn", share.max().item(), 0.17)
    check("smallest share short of 8 %", max(0.0, 0.08 - share.min().item()), 0)
    raw = torch.bincount(logits.argmax(-1), minlength=8) / 4096
    check("17 % over the largest share without Sinkhorn", 0.17 / raw.max().item(), 1)


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    check_scan(device)
    check_network(device)
    check_sinkhorn(device)
    print("all checks passed")


if __name__ == "__main__":
    main()
