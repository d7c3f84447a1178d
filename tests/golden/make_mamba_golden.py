#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Makes the tiny random checkpoints and reference logits of this folder.
# Needs torch, transformers, safetensors and numpy; run: python make_mamba_golden.py [output folder]
"""Writes, beside this file unless told otherwise:

mamba_hf_tiny/, mamba_hf_tiny2/   Mamba-1 in HF format, f32 safetensors
mamba_native_tiny/                the weights of mamba_hf_tiny2 in the state-spaces format (torch pickle)
blackmamba_tiny/                  BlackMamba with every layer kind, bf16 pickle nested under "model"

Each folder but the native twin also gets its reference logits in float32, twice:
  golden.json + golden.f32   {"cases": [{"tokens": [...], "offset": first float in golden.f32, "vocab": V}]};
                             logits [L, V] row-major, little-endian
  golden.npz                 tokens_L [L] and logits_L [L, V] for every length L
blackmamba_tiny/index.json   key -> {"offset": byte in pytorch_model.bin, "shape": [...]} of the bf16 data
"""
import json
import math
import pathlib
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from transformers import MambaConfig, MambaForCausalLM

LENGTHS = [1, 2, 3, 17, 40]


def randomise(weights, generator):
    """Fills a state dict in place with values that make every term of the model matter."""
    for key, w in weights.items():
        noise = torch.randn(w.shape, generator=generator)
        if key.endswith("A_log"):
            w.copy_(torch.log(torch.arange(1, w.shape[1] + 1).float()) + 0.3 * noise)
        elif key.endswith("dt_proj.bias"):
            w.copy_(-2 + 2 * noise)
            w[1] = 25.0  # a channel on the linear branch of softplus
        elif "norm" in key and key.endswith("weight"):
            w.copy_(1 + 0.2 * noise)
        elif key.endswith(".D") or "embedding" in key:
            w.copy_(noise)
        elif w.dim() == 1:
            w.copy_(0.3 * noise)
        elif "conv1d" in key:
            w.copy_(0.5 * noise)
        else:
            w.copy_(noise / math.sqrt(w.shape[1]))


def save_golden(folder, logits_of, vocab, generator):
    """logits_of: tokens [L] -> float32 logits [L, V]."""
    cases, arrays, blobs, offset = [], {}, [], 0
    for length in LENGTHS:
        tokens = torch.randint(0, vocab, (length,), generator=generator)
        with torch.no_grad():
            logits = logits_of(tokens).float().numpy()
        cases.append({"tokens": tokens.tolist(), "offset": offset, "vocab": logits.shape[1]})
        arrays[f"tokens_{length}"], arrays[f"logits_{length}"] = tokens.numpy(), logits
        blobs.append(logits.astype("<f4").tobytes())
        offset += logits.size
    (folder / "golden.json").write_text(json.dumps({"cases": cases}) + "\n")
    (folder / "golden.f32").write_bytes(b"".join(blobs))
    np.savez(folder / "golden.npz", **arrays)


def hf_model(folder, seed, **sizes):
    generator = torch.Generator().manual_seed(seed)
    model = MambaForCausalLM(MambaConfig(**sizes)).eval()
    with torch.no_grad():
        randomise({k: v for k, v in model.state_dict().items() if k != "lm_head.weight"}, generator)
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    save_golden(folder, lambda t: model(t[None], use_cache=False).logits[0], sizes["vocab_size"], generator)
    return model


def native_twin(folder, model, real_vocab):
    """The state-spaces layout of the same weights; their vocab_size is before padding to a multiple of 8."""
    folder.mkdir(exist_ok=True)
    c = model.config
    config = {"d_model": c.hidden_size, "n_layer": c.num_hidden_layers, "vocab_size": real_vocab, "ssm_cfg": {},
              "rms_norm": True, "residual_in_fp32": True, "fused_add_norm": True, "pad_vocab_size_multiple": 8}
    assert -(-real_vocab // 8) * 8 == c.vocab_size and c.state_size == 16
    assert c.time_step_rank == math.ceil(c.hidden_size / 16)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    state = OrderedDict((k.replace("embeddings", "embedding"), v) for k, v in model.state_dict().items())
    state["lm_head.weight"] = state["backbone.embedding.weight"]
    torch.save(state, folder / "pytorch_model.bin")


def blackmamba_shapes(c):
    """Key -> shape of every tensor of a BlackMamba checkpoint."""
    H, N, W, ffn = c["hidden_size"], c["state_size"], c["conv_dimension"], c["ffn_hidden_size"]
    Di, R = c["expansion_factor"] * H, math.ceil(H / 16)
    shapes = {"embedding.word_embeddings.weight": (c["vocab_size"], H)}
    mamba = {"in_proj.weight": (2 * Di, H), "conv1d.weight": (Di, 1, W), "conv1d.bias": (Di,),
             "x_proj.weight": (R + 2 * N, Di), "dt_proj.weight": (Di, R), "dt_proj.bias": (Di,),
             "A_log": (Di, N), "D": (Di,), "out_proj.weight": (H, Di)}
    mlp = {"linear_fc1.weight": (2 * ffn, H), "linear_fc2.weight": (H, ffn)}
    for i, entry in enumerate(c["mamba_moe_layers"]):
        layer, experts = f"decoder.layers.{i}.", entry.lstrip("r")
        shapes[layer + "norm.weight"] = (H,)
        if entry.startswith("r"):
            shapes.update({layer + "mixer." + k: s for k, s in mamba.items()})
        if not experts:
            continue
        block = layer + ("moe." if entry.startswith("r") else "mixer.")
        if entry.startswith("r"):
            shapes[layer + "norm_moe.weight"] = (H,)
        if experts == "1":
            shapes.update({block + k: s for k, s in mlp.items()})
            continue
        shapes.update({block + "router.weight": (int(experts), H), block + "router.bias": (int(experts),)})
        for e in range(int(experts)):
            shapes.update({f"{block}local_experts.{e}.{k}": s for k, s in mlp.items()})
    shapes.update({"decoder.final_layernorm.weight": (H,), "decoder.final_layernorm.bias": (H,)})
    return shapes


def blackmamba_logits(c, w, tokens):
    """Float32 forward pass in PyTorch; the mixer is the transformers library's."""
    H = c["hidden_size"]
    mamba_config = MambaConfig(hidden_size=H, state_size=c["state_size"], conv_kernel=c["conv_dimension"],
                               expand=c["expansion_factor"], num_hidden_layers=1)
    mixer_class = type(MambaForCausalLM(mamba_config).backbone.layers[0].mixer)

    def norm(x, key):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * w[key]

    def mamba(x, prefix):
        mixer = mixer_class(mamba_config, layer_idx=0)
        mixer.load_state_dict({k[len(prefix):]: v for k, v in w.items()
                               if k.startswith(prefix) and k[len(prefix):] in mixer.state_dict()})
        return mixer(x[None])[0]

    def dense(x, prefix):
        gate, up = (x @ w[prefix + "linear_fc1.weight"].T).chunk(2, dim=-1)
        return (F.gelu(gate) * up) @ w[prefix + "linear_fc2.weight"].T

    def mlp(x, prefix):
        if prefix + "router.weight" not in w:
            return dense(x, prefix)
        gate, index = torch.sigmoid(x @ w[prefix + "router.weight"].T + w[prefix + "router.bias"]).max(dim=-1)
        every = [dense(x, f"{prefix}local_experts.{e}.") for e in range(w[prefix + "router.bias"].numel())]
        return gate[:, None] * torch.stack(every)[index, torch.arange(len(x))]

    x = w["embedding.word_embeddings.weight"][tokens]
    for i, entry in enumerate(c["mamba_moe_layers"]):
        layer, y = f"decoder.layers.{i}.", 0
        normed = norm(x, layer + "norm.weight")
        if entry.startswith("r"):
            y = mamba(normed, layer + "mixer.")
            if len(entry) > 1:
                y = y + mlp(norm(x, layer + "norm_moe.weight"), layer + "moe.")
        else:
            y = mlp(normed, layer + "mixer.")
        x = x + y
    x = F.layer_norm(x, (H,), w["decoder.final_layernorm.weight"], w["decoder.final_layernorm.bias"], 1e-5)
    return x @ w["embedding.word_embeddings.weight"].T


def storage_offsets(path, state):
    """Where each tensor's bytes lie in a torch zip: storages are saved uncompressed, in order of first use."""
    offsets = {}
    with zipfile.ZipFile(path) as z, open(path, "rb") as raw:
        for number, key in enumerate(state):
            info = next(i for i in z.infolist() if i.filename.endswith(f"/data/{number}"))
            assert info.compress_type == zipfile.ZIP_STORED
            raw.seek(info.header_offset + 26)
            name, extra = np.frombuffer(raw.read(4), "<u2")
            offset = info.header_offset + 30 + int(name) + int(extra)
            raw.seek(offset)
            assert raw.read(info.file_size) == state[key].contiguous().view(torch.int16).numpy().tobytes()
            offsets[key] = {"offset": offset, "shape": list(state[key].shape)}
    return offsets


def blackmamba(folder, seed):
    folder.mkdir(exist_ok=True)
    layers = ["r", "8", "r1", "1", "r4", "r"]
    config = {"num_layers": len(layers), "hidden_size": 32, "state_size": 16, "conv_dimension": 4,
              "expansion_factor": 2, "mamba_moe_layers": layers, "ffn_hidden_size": 64, "bias": False,
              "add_bias_linear": False, "swiglu": True, "vocab_size": 64, "max_sequence_length": 2048}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    generator = torch.Generator().manual_seed(seed)
    state = {k: torch.empty(s) for k, s in blackmamba_shapes(config).items()}
    randomise(state, generator)
    state = OrderedDict((k, v.to(torch.bfloat16)) for k, v in state.items())
    torch.save({"model": state}, folder / "pytorch_model.bin")
    offsets = storage_offsets(folder / "pytorch_model.bin", state)
    (folder / "index.json").write_text(json.dumps(offsets, indent=1) + "\n")
    weights = {k: v.float() for k, v in state.items()}
    save_golden(folder, lambda t: blackmamba_logits(config, weights, t), config["vocab_size"], generator)


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    torch.set_num_threads(1)
    hf_model(out / "mamba_hf_tiny", 1, hidden_size=32, num_hidden_layers=3, vocab_size=61, state_size=8,
             time_step_rank=5)
    twin = hf_model(out / "mamba_hf_tiny2", 2, hidden_size=40, num_hidden_layers=2, vocab_size=64, state_size=16)
    native_twin(out / "mamba_native_tiny", twin, real_vocab=61)
    blackmamba(out / "blackmamba_tiny", 4)


if __name__ == "__main__":
    main()
