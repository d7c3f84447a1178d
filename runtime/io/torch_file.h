// SPDX-License-Identifier: Apache-2.0
// Reader of PyTorch checkpoints (pytorch_model.bin, .pt, .pth) in the zip format of torch 1.6 and later.
#pragma once
#include "runtime/io/mapped_file.h"
#include "runtime/io/tensor.h"
#include <vector>

namespace ks::io {

// The tensors of the state dict, which is the top-level dict or the dict under its key "model" or
// "state_dict". Every value there must be a tensor or parameter, dense and contiguous; tensors may share a
// storage (tied weights). Data borrows from `file`, which must outlive the result. No code of the file runs.
// Checksums of the pickle are verified, those of the weights are not (that would read every page of the file
// at load). Throws ks::Error(file path, cause).
std::vector<Tensor> read_torch_file(const MappedFile &file);

} // namespace ks::io
