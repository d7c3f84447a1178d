// SPDX-License-Identifier: Apache-2.0
// The allow-list: nothing outside this file decides what a pickle may name or call.
#include "runtime/io/pickle_torch.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"

namespace ks::io {

namespace {

struct Allowed {
    const char *module, *name;
    PickleGlobal global;
};

using Role = PickleGlobal::Role;
constexpr Allowed kAllowed[] = {
    {"collections", "OrderedDict", {Role::ordered_dict}},
    {"torch._utils", "_rebuild_tensor_v2", {Role::rebuild_tensor}},
    {"torch._utils", "_rebuild_parameter", {Role::rebuild_parameter}},
    {"torch", "FloatStorage", {Role::storage_type, DType::f32}},
    {"torch", "BFloat16Storage", {Role::storage_type, DType::bf16}},
    {"torch", "HalfStorage", {Role::storage_type, DType::f16}},
    {"torch", "DoubleStorage", {Role::storage_type, DType::f64}},
    {"torch", "LongStorage", {Role::storage_type, DType::i64}},
    {"torch", "IntStorage", {Role::storage_type, DType::i32}},
    {"torch", "ShortStorage", {Role::storage_type, DType::i16}},
    {"torch", "CharStorage", {Role::storage_type, DType::i8}},
    {"torch", "ByteStorage", {Role::storage_type, DType::u8}},
    {"torch", "BoolStorage", {Role::storage_type, DType::boolean}},
};

// These are copied into every tensor, and a pickle can repeat them cheaply.
constexpr size_t kMaxDimensions = 64, kMaxKey = 256;

[[noreturn]] void fail(const std::string &source, const std::string &cause) {
    throw Error(source, "pickle: " + cause);
}

// A tuple of integers >= 0, as shapes and strides are.
std::vector<int64_t> counts_of(const std::string &source, PickleRef value) {
    const auto *tuple = value->as<PickleTuple>();
    if (!tuple) fail(source, "a tensor's shape or strides are not a tuple");
    if (tuple->items.size() > kMaxDimensions) fail(source, "a tensor has too many dimensions");
    std::vector<int64_t> out;
    out.reserve(tuple->items.size());
    for (PickleRef item : tuple->items) {
        const auto *n = item->as<int64_t>();
        if (!n || *n < 0) fail(source, "a tensor's shape or strides hold something else than integers >= 0");
        out.push_back(*n);
    }
    return out;
}

// (storage, offset, shape, strides, requires_grad, backward_hooks[, metadata])
PickleValue rebuild_tensor(const std::string &source, const PickleTuple &args) {
    if (args.items.size() != 6 && args.items.size() != 7)
        fail(source, "_rebuild_tensor_v2 takes 6 or 7 arguments, not " + std::to_string(args.items.size()));
    const auto *storage = args.items[0]->as<PickleStorage>();
    if (!storage) fail(source, "_rebuild_tensor_v2 is called on something else than a storage");
    const auto *offset = args.items[1]->as<int64_t>();
    if (!offset || *offset < 0) fail(source, "a tensor's storage offset is not an integer >= 0");
    PickleTensor tensor{*storage, *offset, counts_of(source, args.items[2]),
                        counts_of(source, args.items[3])};
    if (tensor.shape.size() != tensor.strides.size())
        fail(source, "a tensor's shape and strides differ in length");
    return {std::move(tensor)};
}

// (data, requires_grad, backward_hooks)
PickleValue rebuild_parameter(const std::string &source, const PickleTuple &args) {
    if (args.items.size() != 3 || !args.items[0]->as<PickleTensor>())
        fail(source, "_rebuild_parameter is not called on a tensor");
    return *args.items[0];
}

} // namespace

PickleValue torch_global(const std::string &source, const std::string &module, const std::string &name) {
    for (const Allowed &allowed : kAllowed)
        if (module == allowed.module && name == allowed.name) return {allowed.global};
    fail(source,
         "global " + shown(module + "." + name) + " is not allowed (only plain tensors are read, no code)");
}

PickleValue torch_call(const std::string &source, const PickleGlobal &global, const PickleTuple &args) {
    switch (global.role) {
    case Role::ordered_dict:
        if (!args.items.empty()) fail(source, "OrderedDict is called with arguments");
        return {PickleDict{}};
    case Role::rebuild_tensor:
        return rebuild_tensor(source, args);
    case Role::rebuild_parameter:
        return rebuild_parameter(source, args);
    case Role::storage_type:
        break;
    }
    fail(source, "a storage type is called");
}

PickleValue torch_storage(const std::string &source, const PickleValue &id) {
    const auto *tuple = id.as<PickleTuple>();
    if (!tuple || tuple->items.size() != 5) fail(source, "a persistent id is not a tuple of five");
    const auto *kind = tuple->items[0]->as<std::string>();
    const auto *type = tuple->items[1]->as<PickleGlobal>();
    const auto *key = tuple->items[2]->as<std::string>();
    const auto *elements = tuple->items[4]->as<int64_t>();
    if (!kind || *kind != "storage" || !type || type->role != Role::storage_type || !key || !elements ||
        *elements < 0)
        fail(source, "a persistent id does not describe a storage");
    if (key->size() > kMaxKey) fail(source, "the key of a storage is too long");
    return {PickleStorage{type->dtype, *key, *elements}};
}

} // namespace ks::io
