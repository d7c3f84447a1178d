// SPDX-License-Identifier: Apache-2.0
// The checks of the safetensors format, one function for each level: file, entry, tiling of the buffer.
#include "runtime/io/safetensors.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include "runtime/io/json_file.h"
#include <algorithm>
#include <cstring>

namespace ks::io {

namespace {

using nlohmann::json;

constexpr size_t kPrefix = 8; // the header size, u64
constexpr uint64_t kMaxHeader = uint64_t{32} << 20;

[[noreturn]] void fail(const std::string &file, const std::string &name, const std::string &cause) {
    throw Error(file, "tensor " + shown(name) + ": " + cause);
}

bool dtype_of(const std::string &name, DType &out) {
    constexpr struct {
        const char *name;
        DType dtype;
    } table[] = {{"F32", DType::f32}, {"BF16", DType::bf16},   {"F16", DType::f16}, {"F64", DType::f64},
                 {"I64", DType::i64}, {"I32", DType::i32},     {"I16", DType::i16}, {"I8", DType::i8},
                 {"U8", DType::u8},   {"BOOL", DType::boolean}};
    for (const auto &row : table) {
        if (name != row.name) continue;
        out = row.dtype;
        return true;
    }
    return false;
}

json parse_header(const MappedFile &file, uint64_t &header_bytes) {
    if (file.size() < kPrefix) throw Error(file.path(), "too short for a safetensors file");
    header_bytes = load_le<uint64_t>(file.data());
    if (header_bytes > kMaxHeader)
        throw Error(file.path(), "safetensors header of " + std::to_string(header_bytes) +
                                     " bytes is over the limit of 32 MiB (or the file is of another kind)");
    if (header_bytes > file.size() - kPrefix)
        throw Error(file.path(), "safetensors header of " + std::to_string(header_bytes) +
                                     " bytes runs past the end of the file");
    const auto *text = reinterpret_cast<const char *>(file.data() + kPrefix);
    if (header_bytes == 0 || text[0] != '{')
        throw Error(file.path(), "safetensors header must begin with '{'");
    JsonLimits limits;
    limits.bytes = kMaxHeader;
    limits.depth = 3; // header, entry, list
    return parse_json(file.path(), {text, header_bytes}, limits);
}

void check_metadata(const std::string &file, const json &metadata) {
    if (!metadata.is_object()) throw Error(file, "__metadata__ is not an object");
    for (const auto &item : metadata.items())
        if (!item.value().is_string()) throw Error(file, "__metadata__ holds a value that is not a string");
}

// A field of an entry as a list of integers in [0, 2^63).
std::vector<int64_t> list_of(const std::string &file, const std::string &name, const json &entry,
                             const char *key) {
    auto field = entry.find(key);
    if (field == entry.end() || !field->is_array()) fail(file, name, std::string(key) + " is not a list");
    std::vector<int64_t> out;
    out.reserve(field->size());
    for (const json &value : *field) {
        if (!value.is_number_unsigned() || value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
            fail(file, name, std::string(key) + " holds something else than an integer in [0, 2^63)");
        out.push_back(value.get<int64_t>());
    }
    return out;
}

Tensor tensor_of(const MappedFile &file, const std::string &name, const json &entry, uint64_t header_bytes) {
    const std::string &path = file.path();
    if (!entry.is_object() || entry.size() != 3)
        fail(path, name, "needs exactly dtype, shape and data_offsets");
    auto dtype = entry.find("dtype");
    if (dtype == entry.end() || !dtype->is_string()) fail(path, name, "has no dtype");
    Tensor tensor;
    tensor.name = name;
    if (!dtype_of(dtype->get<std::string>(), tensor.dtype))
        fail(path, name, "dtype " + shown(dtype->get<std::string>()) + " is not supported");
    tensor.shape = list_of(path, name, entry, "shape");
    if (tensor.shape.size() > kMaxRank)
        fail(path, name, "has " + std::to_string(tensor.shape.size()) + " dimensions, at most 8 are read");
    std::vector<int64_t> offsets = list_of(path, name, entry, "data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1]) fail(path, name, "data_offsets are not [begin, end]");
    auto begin = static_cast<uint64_t>(offsets[0]), end = static_cast<uint64_t>(offsets[1]),
         bytes = uint64_t{0};
    const uint64_t buffer = file.size() - kPrefix - header_bytes;
    if (end > buffer)
        fail(path, name,
             "data ends at byte " + std::to_string(end) + " of a buffer of " + std::to_string(buffer));
    if (!checked_bytes(tensor.shape, tensor.dtype, bytes) || bytes != end - begin)
        fail(path, name,
             std::string("shape ") + shape_text(tensor.shape) + " of " + name_of(tensor.dtype) +
                 " does not take the " + std::to_string(end - begin) + " bytes of data_offsets");
    tensor.data = file.data() + kPrefix + header_bytes + begin;
    tensor.bytes = bytes;
    return tensor;
}

// In the order of their data the tensors must follow one another without a gap, from the first byte to the
// last.
void check_tiling(const MappedFile &file, std::vector<Tensor> &tensors, uint64_t header_bytes) {
    std::stable_sort(tensors.begin(), tensors.end(), [](const Tensor &a, const Tensor &b) {
        return a.data != b.data ? a.data < b.data : a.bytes < b.bytes;
    });
    const std::byte *expected = file.data() + kPrefix + header_bytes;
    for (const Tensor &tensor : tensors) {
        if (tensor.data < expected) fail(file.path(), tensor.name, "data overlaps another tensor's");
        if (tensor.data > expected)
            fail(file.path(), tensor.name, "a hole in the buffer comes before its data");
        expected += tensor.bytes;
    }
    if (expected != file.data() + file.size())
        throw Error(file.path(), std::to_string(file.data() + file.size() - expected) +
                                     " bytes at the end belong to no tensor");
}

} // namespace

std::vector<Tensor> read_safetensors(const MappedFile &file) {
    uint64_t header_bytes = 0;
    json header = parse_header(file, header_bytes);
    std::vector<Tensor> tensors;
    tensors.reserve(header.size());
    for (const auto &item : header.items()) {
        if (item.key() == "__metadata__")
            check_metadata(file.path(), item.value());
        else
            tensors.push_back(tensor_of(file, item.key(), item.value(), header_bytes));
    }
    check_tiling(file, tensors, header_bytes);
    return tensors;
}

} // namespace ks::io
