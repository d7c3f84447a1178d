// SPDX-License-Identifier: Apache-2.0
// A restricted unpickler for PyTorch state dicts: data is built, code never runs. Plain containers,
// OrderedDict, tensors, parameters and the typed storages of torch are known; any other global or opcode is
// an error.
#pragma once
#include "runtime/base/dtype.h"
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ks::io {

struct PickleValue;
using PickleRef = const PickleValue *; // owned by the Pickle; values may be shared, and a cycle is possible

struct PickleTuple {
    std::vector<PickleRef> items;
};
struct PickleList {
    std::vector<PickleRef> items;
};
struct PickleDict {
    std::vector<std::pair<PickleRef, PickleRef>> items; // in file order; keys may repeat
};
// A callable or class of the allow-list, not yet applied.
struct PickleGlobal {
    enum class Role { ordered_dict, rebuild_tensor, rebuild_parameter, storage_type } role;
    DType dtype = DType::f32; // of a storage type
};
// A block of elements kept beside the pickle under `key`.
struct PickleStorage {
    DType dtype;
    std::string key;
    int64_t elements; // >= 0
};
// A view of a storage. Offset and strides count elements; nothing is checked against the storage yet.
struct PickleTensor {
    PickleStorage storage;
    int64_t offset;
    std::vector<int64_t> shape, strides; // of equal length, all >= 0
};

struct PickleValue {
    std::variant<std::monostate, bool, int64_t, double, std::string, PickleTuple, PickleList, PickleDict,
                 PickleGlobal, PickleStorage, PickleTensor>
        data; // monostate is None

    template <typename T>
    const T *as() const { // null when the value is of another kind
        return std::get_if<T>(&data);
    }
};

// The result: movable, owns every value. Nothing here recurses, so nesting cannot exhaust the call stack.
struct Pickle {
    std::deque<PickleValue> values;
    PickleRef root = nullptr;
};

// Reads protocols 2 to 5. At most 64 MiB of pickle and 4 M values. `source` begins every ks::Error.
Pickle parse_pickle(const std::string &source, const std::byte *data, size_t size);

} // namespace ks::io
