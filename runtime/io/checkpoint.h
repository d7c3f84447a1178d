// SPDX-License-Identifier: Apache-2.0
// A model folder: its config.json and all its tensors, whichever of the known file layouts it has.
#pragma once
#include "runtime/io/mapped_file.h"
#include "runtime/io/tensor.h"
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace ks::io {

// Looked for in this order: model.safetensors, model.safetensors.index.json and its shards,
// pytorch_model.bin, pytorch_model.bin.index.json and its shards. Files are mapped, not read: opening is
// quick at any size. Movable; tensors stay valid while the checkpoint (or what it was moved to) lives. Any
// number of threads may read.
class Checkpoint {
  public:
    // Throws ks::Error(file or folder, cause).
    explicit Checkpoint(const std::string &folder);

    const std::string &folder() const { return folder_; }
    const std::string &config_path() const { return config_path_; }
    const nlohmann::json &config() const { return config_; } // an object

    const Tensor *find(const std::string &name) const; // null when absent
    const Tensor &at(const std::string &name) const;   // throws ks::Error naming folder and key
    std::vector<std::string> names() const;            // sorted

    // The checkpoint's own storage of matrices: the type of its largest tensor (the first by name of equals)
    // where that is bf16 or f16, f32 for any other. Throws ks::Error(folder, cause) when it has no tensors.
    DType storage() const;

    // Tells checkpoints apart, wherever they lie: a hash of the configuration and, of every tensor, its name,
    // type, shape and first and last 64 bytes. Reads a page or two of each tensor.
    uint64_t fingerprint() const;

  private:
    using Reader = std::vector<Tensor> (*)(const MappedFile &);

    bool open_single(const std::string &file, Reader reader);
    bool open_shards(const std::string &index, Reader reader);
    std::vector<Tensor> open(const std::string &path, Reader reader);

    std::string folder_, config_path_;
    nlohmann::json config_;
    std::vector<MappedFile> files_; // moving a MappedFile keeps its bytes where they are
    std::unordered_map<std::string, Tensor> tensors_;
};

} // namespace ks::io
