# SPDX-License-Identifier: Apache-2.0
# Writes a model folder: config.json and bf16 safetensors shards with their index.
import json
import struct

import torch

SHARD_BYTES = 12 << 20


def round_to_bf16(model):
    """The weights as they are shipped, so that every later score is one of the shipped model."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16())


def _shard(tensors):
    header, offset, blobs = {"__metadata__": {"format": "pt"}}, 0, []
    for name, tensor in tensors:
        blob = tensor.detach().cpu().bfloat16().contiguous().view(torch.int16).numpy().tobytes()
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(blobs)


def write_folder(folder, config, state):
    groups, size = [[]], 0
    for name, tensor in state.items():
        if size + 2 * tensor.numel() > SHARD_BYTES:
            groups.append([])
            size = 0
        groups[-1].append((name, tensor))
        size += 2 * tensor.numel()
    weight_map = {}
    for i, group in enumerate(groups):
        name = f"model-{i + 1:05d}-of-{len(groups):05d}.safetensors"
        (folder / name).write_bytes(_shard(group))
        weight_map.update((key, name) for key, _ in group)
    total = sum(2 * t.numel() for t in state.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
