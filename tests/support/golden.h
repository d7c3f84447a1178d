// SPDX-License-Identifier: Apache-2.0
// Reads the files of tests/golden/ without any code of the runtime's readers.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace ks::test {

// One reference case: logits [tokens.size(), vocab], row-major.
struct GoldenCase {
    std::vector<int> tokens;
    int vocab = 0;
    std::vector<float> logits;
};

// tests/golden/<name>, found from the path this file was compiled at.
std::string golden_path(const std::string &name);

// golden.json + golden.f32 of a folder. All readers here throw std::runtime_error when a file can't be read.
std::vector<GoldenCase> read_golden(const std::string &folder);

// Tensors by key, row-major, widened to double.
using Tensors = std::map<std::string, std::vector<double>>;

Tensors read_safetensors(const std::string &path);    // F32 tensors only
Tensors read_indexed_bf16(const std::string &folder); // pytorch_model.bin through the offsets of index.json

} // namespace ks::test
