// SPDX-License-Identifier: Apache-2.0
// Finds the files of a model folder. Shard names come from an untrusted index: plain names in the folder
// only.
#include "runtime/io/checkpoint.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include "runtime/io/json_file.h"
#include "runtime/io/safetensors.h"
#include "runtime/io/torch_file.h"
#include <algorithm>
#include <filesystem>
#include <map>

namespace ks::io {

namespace {

using nlohmann::json;

constexpr size_t kMaxShards = 1024;

std::string join(const std::string &folder, const std::string &file) {
    return (std::filesystem::path(folder) / file).string();
}

bool exists(const std::string &path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

bool is_plain_name(const std::string &file) {
    if (file.empty() || file == "." || file == "..") return false;
    return file.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
}

// Shard file -> the tensors that the index places in it.
std::map<std::string, std::vector<std::string>> shards_of(const std::string &index) {
    JsonLimits limits;
    limits.depth = 4;
    json file = parse_json_file(index, limits);
    if (!file.is_object() || !file.contains("weight_map") || !file["weight_map"].is_object())
        throw Error(index, "has no weight_map object");
    std::map<std::string, std::vector<std::string>> shards;
    for (const auto &item : file["weight_map"].items()) {
        if (!item.value().is_string())
            throw Error(index, "the file of " + shown(item.key()) + " is not text");
        const auto &shard = item.value().get_ref<const std::string &>();
        if (!is_plain_name(shard))
            throw Error(index, "file " + shown(shard) + " is not a plain name in the folder");
        shards[shard].push_back(item.key());
        if (shards.size() > kMaxShards) throw Error(index, "names more than 1024 files");
    }
    return shards;
}

} // namespace

Checkpoint::Checkpoint(const std::string &folder)
    : folder_(folder), config_path_(join(folder, "config.json")) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) throw Error(folder, "is not a folder");
    config_ = parse_json_file(config_path_);
    if (!config_.is_object()) throw Error(config_path_, "is not a JSON object");
    if (open_single("model.safetensors", read_safetensors)) return;
    if (open_shards("model.safetensors.index.json", read_safetensors)) return;
    if (open_single("pytorch_model.bin", read_torch_file)) return;
    if (open_shards("pytorch_model.bin.index.json", read_torch_file)) return;
    throw Error(folder, "holds neither model.safetensors nor pytorch_model.bin, nor the index of either");
}

std::vector<Tensor> Checkpoint::open(const std::string &path, Reader reader) {
    files_.emplace_back(path);
    return reader(files_.back());
}

bool Checkpoint::open_single(const std::string &file, Reader reader) {
    const std::string path = join(folder_, file);
    if (!exists(path)) return false;
    for (Tensor &tensor : open(path, reader)) tensors_.emplace(tensor.name, std::move(tensor));
    return true;
}

bool Checkpoint::open_shards(const std::string &index, Reader reader) {
    const std::string index_path = join(folder_, index);
    if (!exists(index_path)) return false;
    for (const auto &[shard, names] : shards_of(index_path)) {
        const std::string path = join(folder_, shard);
        std::unordered_map<std::string, Tensor> inside;
        for (Tensor &tensor : open(path, reader)) inside.emplace(tensor.name, std::move(tensor));
        for (const std::string &name : names) {
            auto found = inside.find(name);
            if (found == inside.end())
                throw Error(path, "lacks " + shown(name) + ", which " + index + " places in it");
            tensors_.insert(inside.extract(found));
        }
    }
    return true;
}

const Tensor *Checkpoint::find(const std::string &name) const {
    auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : &found->second;
}

const Tensor &Checkpoint::at(const std::string &name) const {
    if (const Tensor *tensor = find(name)) return *tensor;
    throw Error(folder_, "has no tensor " + shown(name));
}

std::vector<std::string> Checkpoint::names() const {
    std::vector<std::string> out;
    out.reserve(tensors_.size());
    for (const auto &entry : tensors_) out.push_back(entry.first);
    std::sort(out.begin(), out.end());
    return out;
}

DType Checkpoint::storage() const {
    const Tensor *largest = nullptr;
    for (const std::string &name : names())
        if (const Tensor &t = at(name); !largest || t.bytes > largest->bytes) largest = &t;
    if (!largest) throw Error(folder_, "has no tensors");
    return largest->dtype == DType::bf16 || largest->dtype == DType::f16 ? largest->dtype : DType::f32;
}

uint64_t Checkpoint::fingerprint() const {
    uint64_t hash = 0xcbf29ce484222325; // FNV-1a
    auto mix = [&](const void *bytes, size_t count) {
        for (size_t i = 0; i < count; i++)
            hash = (hash ^ static_cast<const uint8_t *>(bytes)[i]) * 0x100000001b3;
    };
    auto mix_text = [&](const std::string &text) { mix(text.c_str(), text.size() + 1); };
    mix_text(config_.dump());
    for (const std::string &name : names()) {
        const Tensor &t = at(name);
        mix_text(name + " " + name_of(t.dtype) + shape_text(t.shape));
        const size_t count = std::min<size_t>(t.bytes, 64);
        mix(t.data, count);
        mix(t.data + t.bytes - count, count);
    }
    return hash;
}

} // namespace ks::io
