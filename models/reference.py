# SPDX-License-Identifier: Apache-2.0
# A slow, plain forward pass of a BlackMamba folder (config.json, safetensors or pytorch_model.bin), one loop step
# per token in the scan, in float64, float32 or bf16. It shares no code with the training network.
#
#   python3 models/reference.py --model DIR --text "In the beginning" --generate 50
#   python3 models/reference.py --model DIR --ids "1,2,3;4,5" --save logits.npz
#   python3 models/reference.py --model DIR --bits-per-byte test.txt --dtype bf16
import argparse
import json
import math
import pathlib
import struct

import numpy as np
import torch
from torch.nn import functional as F

EPS = 1e-5
DTYPES = {"f64": torch.float64, "f32": torch.float32, "bf16": torch.bfloat16}
STORED = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32, "F64": torch.float64}


def read_safetensors(path):
    data = bytearray(path.read_bytes())
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(bytes(data[8 : 8 + size]))
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(data[8 + size + begin : 8 + size + end], dtype=STORED[entry["dtype"]])
        tensors[name] = flat.view(entry["shape"])
    return tensors


def read_weights(folder):
    weights = {}
    for path in sorted(folder.glob("*.safetensors")):
        weights.update(read_safetensors(path))
    if not weights:
        weights = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)["model"]
    return weights


class Reference:
    """Weights in the model dtype; sums, norms, router and scan in float32 (float64 when that is the dtype)."""

    def __init__(self, folder, dtype="f32", device="cpu"):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        self.dtype, self.device = DTYPES[dtype], device
        self.wide = torch.float64 if dtype == "f64" else torch.float32
        self.weights = {k: v.to(device, self.dtype) for k, v in read_weights(folder).items()}
        default = "gelu_erf"  # what the released code computes
        self.activation = {"silu": F.silu, "gelu_erf": F.gelu}[self.config.get("activation", default)]
        self.kinds = self.config["mamba_moe_layers"]
        if any(kind != "r" and not kind.isdigit() for kind in self.kinds):
            raise SystemExit("reference: only Mamba layers and one-digit expert layers are supported")

    def new_state(self):
        width = self.config["expansion_factor"] * self.config["hidden_size"]
        taps, states = self.config["conv_dimension"], self.config["state_size"]
        return [
            (
                torch.zeros(taps - 1, width, dtype=self.dtype, device=self.device),
                torch.zeros(width, states, dtype=self.wide, device=self.device),
            )
            for _ in self.kinds
        ]

    def mamba(self, p, u, state):
        w, wide = self.weights, self.wide
        taps, n, length = self.config["conv_dimension"], self.config["state_size"], u.shape[0]
        x, z = (u @ w[p + "in_proj.weight"].T).chunk(2, -1)
        seen = torch.cat([state[0], x])
        kernel = w[p + "conv1d.weight"].to(wide)
        sums = w[p + "conv1d.bias"].to(wide) + sum(seen[i : i + length].to(wide) * kernel[:, 0, i] for i in range(taps))
        x = F.silu(sums).to(self.dtype)
        low = x @ w[p + "x_proj.weight"].T
        rank = low.shape[1] - 2 * n
        b, c = low[:, rank : rank + n].to(wide), low[:, rank + n :].to(wide)
        raw = low[:, :rank] @ w[p + "dt_proj.weight"].T
        delta = F.softplus(raw.to(wide) + w[p + "dt_proj.bias"].to(wide))
        a, x = -torch.exp(w[p + "A_log"].to(wide)), x.to(wide)
        h, rows = state[1], []
        for t in range(length):
            h = torch.exp(delta[t, :, None] * a) * h + (delta[t] * x[t])[:, None] * b[t]
            rows.append(h @ c[t])
        y = torch.stack(rows) + w[p + "D"].to(wide) * x
        out = (y * F.silu(z.to(wide))).to(self.dtype)
        return out @ w[p + "out_proj.weight"].T, (seen[length:], h)

    def experts(self, p, x):
        w = self.weights
        logits = x.to(self.wide) @ w[p + "router.weight"].to(self.wide).T + w[p + "router.bias"].to(self.wide)
        best, index = logits.max(-1)
        out = torch.empty_like(x)
        for t in range(x.shape[0]):
            e = f"{p}local_experts.{index[t]}."
            gate, up = (w[e + "linear_fc1.weight"] @ x[t]).to(self.wide).chunk(2)
            middle = (self.activation(gate) * up).to(self.dtype)
            out[t] = torch.sigmoid(best[t]).to(self.dtype) * (w[e + "linear_fc2.weight"] @ middle)
        return out, index

    @torch.no_grad()
    def forward(self, ids, state=None):
        """Logits [L, V] in the wide dtype, the state after the last token, and the experts taken per layer."""
        state = state or self.new_state()
        w, routes, after = self.weights, [], []
        hidden = w["embedding.word_embeddings.weight"][torch.as_tensor(ids, device=self.device)]
        residual = torch.zeros_like(hidden, dtype=self.wide)
        for i, kind in enumerate(self.kinds):
            residual = residual + hidden.to(self.wide)
            v = residual.to(self.dtype).to(self.wide)
            scale = torch.rsqrt(v.square().mean(-1, keepdim=True) + EPS)
            hidden = (v * scale * w[f"decoder.layers.{i}.norm.weight"].to(self.wide)).to(self.dtype)
            p = f"decoder.layers.{i}.mixer."
            if kind == "r":
                hidden, kept = self.mamba(p, hidden, state[i])
            else:
                kept = state[i]
                hidden, index = self.experts(p, hidden)
                routes.append(index)
            after.append(kept)
        v = (residual + hidden.to(self.wide)).to(self.dtype).to(self.wide)
        v = F.layer_norm(
            v,
            v.shape[-1:],
            w["decoder.final_layernorm.weight"].to(self.wide),
            w["decoder.final_layernorm.bias"].to(self.wide),
            EPS,
        ).to(self.dtype)
        return (v @ w["embedding.word_embeddings.weight"].T).to(self.wide), after, routes

    def generate(self, ids, count, temperature, top_k, seed):
        pick = torch.Generator().manual_seed(seed)
        logits, state, _ = self.forward(ids)
        made = []
        for _ in range(count):
            top, where = logits[-1].float().cpu().topk(top_k if temperature else 1)
            chance = torch.softmax(top / (temperature or 1.0), -1)
            made.append(int(where[torch.multinomial(chance, 1, generator=pick)]))
            logits, state, _ = self.forward([made[-1]], state)
        return made

    def bits_per_byte(self, tokenizer, texts):
        nats = size = 0.0
        for text in texts:
            ids = torch.tensor([0] + tokenizer.encode(text).ids, device=self.device)
            logits, _, _ = self.forward(ids[:-1])
            nats += F.cross_entropy(logits, ids[1:], reduction="sum").item()
            size += len(text.encode())
        return nats / math.log(2) / size


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--dtype", choices=DTYPES, default="f32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--ids", help="token lists: 1,2,3;4,5")
    parser.add_argument("--text", action="append", default=[], help="a prompt; may be repeated")
    parser.add_argument("--save", type=pathlib.Path, help="npz file: ids_0, logits_0 [rows, V] float32, ids_1, ...")
    parser.add_argument("--rows", type=int, default=0, help="save the last so many positions at most (0: all)")
    parser.add_argument("--generate", type=int, default=0, help="tokens to write after each text")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--top-k", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bits-per-byte", type=pathlib.Path, help="file of texts separated by <|endoftext|>")
    args = parser.parse_args()
    model = Reference(args.model, args.dtype, args.device)
    if args.text or args.bits_per_byte:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    if args.bits_per_byte:
        texts = args.bits_per_byte.read_text().split("<|endoftext|>")
        print(json.dumps({"dtype": args.dtype, "bits_per_byte": round(model.bits_per_byte(tokenizer, texts), 4)}))
    lists = [[int(i) for i in part.split(",")] for part in args.ids.split(";")] if args.ids else []
    lists += [tokenizer.encode(text).ids for text in args.text]
    arrays = {}
    for i, ids in enumerate(lists):
        if args.generate:
            made = model.generate(ids, args.generate, args.temperature, args.top_k, args.seed)
            print(tokenizer.decode(ids + made) if args.text else ids + made)
            continue
        logits, _, _ = model.forward(ids)
        arrays[f"ids_{i}"] = np.array(ids, dtype=np.int32)
        arrays[f"logits_{i}"] = logits[-args.rows :].cpu().numpy().astype(np.float32)
        top = logits[-1].topk(5)
        print(ids, "->", [(int(k), round(float(v), 4)) for v, k in zip(*top)])
    if args.save:
        np.savez_compressed(args.save, **arrays)


if __name__ == "__main__":
    main()
