# SPDX-License-Identifier: Apache-2.0
# Trains the shipped model on the token files of prepare_corpus.py and writes the model folder, the loss curve
# and a report. One NVIDIA GPU and a few minutes; see models/README.md for the numbers of the shipped run.
#
#   python3 models/train.py --data carry/train --model models/kjv-8x11m --report carry/report
import argparse
import csv
import json
import math
import pathlib
import time

import torch
from torch.nn import functional as F

import export
from network import BlackMamba, RMSNorm

CONFIG = {
    "num_layers": 8,
    "hidden_size": 256,
    "state_size": 16,
    "conv_dimension": 4,
    "expansion_factor": 2,
    "mamba_moe_layers": ["r", "8"] * 4,
    "ffn_hidden_size": 384,
    "vocab_size": 2048,
    "max_sequence_length": 512,
    "bias": False,
    "add_bias_linear": False,
    "swiglu": True,
    "activation": "silu",
}


def read_ids(path, device):
    return torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.int16).to(device, torch.int64)


def chapters_of(ids):
    starts = (ids == 0).nonzero().flatten().tolist() + [len(ids)]
    return [ids[s:e] for s, e in zip(starts, starts[1:])]


def set_routing(model, balance, passes=1):
    for switch in model.switches():
        switch.balance, switch.passes_min, switch.shares = balance, passes, []


@torch.no_grad()
def score(model, ids, balance=False, passes=1):
    """Nats of all text tokens, each chapter on its own after the end-of-text token; expert shares per layer."""
    model.eval()
    set_routing(model, balance, passes)
    nats, taken = 0.0, 0
    chapters = chapters_of(ids)
    if balance:  # Sinkhorn needs many tokens at once: right padding is dropped by packing the chapters end to end
        chapters = [ids[s : s + 4096] for s in range(0, len(ids), 4096)]
    for chapter in chapters:
        logits = model(chapter[None, :-1])[0]
        nats += F.cross_entropy(logits.float(), chapter[1:], reduction="sum").item()
        n = len(chapter) - 1
        for switch in model.switches():
            switch.shares[-1] = switch.shares[-1] * n
        taken += n
    shares = [(torch.stack(s.shares).sum(0) / taken).tolist() for s in model.switches()]
    set_routing(model, False)
    return nats, shares


def optimizer_of(model, lr, decay):
    plain = {id(p) for m in model.modules() if isinstance(m, (RMSNorm, torch.nn.LayerNorm)) for p in m.parameters()}
    plain |= {id(p) for n, p in model.named_parameters() if n.endswith((".A_log", ".D", ".bias"))}
    groups = [
        {"params": [p for p in model.parameters() if id(p) not in plain], "weight_decay": decay},
        {"params": [p for p in model.parameters() if id(p) in plain], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95))


def learning_rate(args, step):
    warm = min(1.0, (step + 1) / args.warmup)
    return args.lr * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / args.steps)))


def train(args, cfg, device):
    torch.manual_seed(args.seed)
    ids, valid = (read_ids(args.data / f"{name}.bin", device) for name in ("train", "valid"))
    meta = json.loads((args.data / "meta.json").read_text())
    model = BlackMamba(cfg, args.dropout).to(device)
    optimizer = optimizer_of(model, args.lr, args.decay)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(args.average)
    )
    window = torch.arange(args.length + 1, device=device)
    best, best_weights, rows, shares = math.inf, None, [], []
    for step in range(args.steps):
        model.train()
        set_routing(model, True, args.passes)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(args, step)
        starts = torch.randint(len(ids) - args.length, (args.batch, 1), device=device)
        batch = ids[starts + window]
        with torch.autocast(device.type, dtype=torch.bfloat16):
            logits = model(batch[:, :-1])
        loss = F.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        shares.append(torch.stack([s.shares[-1] for s in model.switches()]))
        last = step + 1 == args.steps
        if step % 10 == 9 or step % args.check == args.check - 1 or last:
            rows.append({"step": step + 1, "train_nats": round(loss.item(), 4), "valid_bpb": ""})
        if step % args.check == args.check - 1 or last:
            nats, _ = score(average.module, valid)
            bpb = nats / math.log(2) / meta["valid"]["bytes"]
            rows[-1]["valid_bpb"] = round(bpb, 4)
            print(f"step {step + 1} train {loss.item():.4f} nats/token, valid {bpb:.4f} bits/byte", flush=True)
            if bpb < best:
                best = bpb
                best_weights = {k: v.detach().clone() for k, v in average.module.state_dict().items()}
    model.load_state_dict(best_weights)
    return model, rows, torch.stack(shares), best


def share_report(shares):
    """Per layer: mean over the last half of training, and the extremes of any single step in the last 90 %."""
    half, late = shares[len(shares) // 2 :], shares[len(shares) // 10 :]
    return [
        {
            "mean": [round(v, 4) for v in half[:, i].mean(0).tolist()],
            "step_min": round(late[:, i].min().item(), 4),
            "step_max": round(late[:, i].max().item(), 4),
        }
        for i in range(shares.shape[1])
    ]


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="folder that receives the model")
    parser.add_argument("--report", type=pathlib.Path, required=True, help="folder for loss.csv and report.json")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--decay", type=float, default=0.1)
    parser.add_argument("--dropout", type=float, default=0.25)
    parser.add_argument("--average", type=float, default=0.99, help="decay of the exponential weight average")
    parser.add_argument("--passes", type=int, default=8, help="least number of Sinkhorn passes")
    parser.add_argument("--check", type=int, default=100, help="steps between scores of the validation chapters")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tiny", action="store_true", help="a two-layer model, to try the script on a CPU")
    return parser.parse_args()


def main():
    args = parse()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("highest")
    cfg = dict(CONFIG, max_sequence_length=args.length)
    if args.tiny:
        cfg.update(num_layers=2, hidden_size=32, ffn_hidden_size=32, mamba_moe_layers=["r", "8"])
    started = time.time()
    model, rows, shares, valid_bpb = train(args, cfg, device)
    seconds = time.time() - started
    export.round_to_bf16(model)
    args.report.mkdir(parents=True, exist_ok=True)
    args.model.mkdir(parents=True, exist_ok=True)
    export.write_folder(args.model, cfg, model.state_dict())
    test = read_ids(args.data / "test.bin", device)
    size = json.loads((args.data / "meta.json").read_text())["test"]["bytes"]
    nats, inference = score(model, test)
    report = {
        "test_bpb": round(nats / math.log(2) / size, 4),
        "test_bpb_balanced_routing": round(score(model, test, True, args.passes)[0] / math.log(2) / size, 4),
        "valid_bpb_best": round(valid_bpb, 4),
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": round(seconds, 1),
        "card": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "shares_training": share_report(shares),
        "shares_inference": [[round(v, 4) for v in layer] for layer in inference],
        "arguments": {k: v for k, v in vars(args).items() if not isinstance(v, pathlib.Path)},
    }
    (args.report / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    with open(args.report / "loss.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, ["step", "train_nats", "valid_bpb"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
