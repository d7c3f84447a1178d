// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/op_arrays.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cstring>

namespace ks::cli {

Inputs::Inputs(const std::string &path) : path_(path) {
    if (path.size() > 4 && path.compare(path.size() - 4, 4, ".npy") == 0) {
        arrays_["logits"] = io::read_npy(path);
        return;
    }
    io::NpzReader file(path);
    for (const auto &name : file.names()) arrays_[name] = file.read(name);
}

const io::Array &Inputs::at(const std::string &name) const {
    auto found = arrays_.find(name);
    if (found == arrays_.end()) throw Error(path_, "has no array " + name);
    return found->second;
}

const Shape &Inputs::shape(const std::string &name, size_t rank, const char *axes) const {
    const auto &shape = at(name).shape;
    if (shape.size() != rank || at(name).data.empty())
        throw Error(path_, name + " has the shape " + io::shape_text(shape) + ", expected " + axes);
    return shape;
}

std::vector<float> Inputs::floats(const std::string &name, const Shape &wanted) const {
    const io::Array &a = at(name);
    if (a.shape != wanted)
        throw Error(path_, name + " has the shape " + io::shape_text(a.shape) + ", expected " +
                               io::shape_text(wanted));
    if (a.dtype != DType::f32 && a.dtype != DType::f16 && a.dtype != DType::f64)
        throw Error(path_, name + " is of the type " + name_of(a.dtype) + ", expected f32, f16 or f64");
    return io::to_f32(a.tensor(name));
}

std::vector<float> Inputs::optional(const std::string &name, const Shape &wanted) const {
    return has(name) ? floats(name, wanted) : std::vector<float>();
}

std::vector<int64_t> Inputs::integers(const std::string &name) const {
    const io::Array &a = at(name);
    if (a.shape.size() != 1 || (a.dtype != DType::i64 && a.dtype != DType::i32))
        throw Error(path_, name + " must be a list of integers (int32 or int64)");
    std::vector<int64_t> values(static_cast<size_t>(a.shape[0]));
    for (size_t i = 0; i < values.size(); i++) {
        if (a.dtype == DType::i64)
            std::memcpy(&values[i], a.data.data() + 8 * i, 8);
        else {
            int32_t v;
            std::memcpy(&v, a.data.data() + 4 * i, 4);
            values[i] = v;
        }
    }
    return values;
}

Stored::Stored(const std::vector<float> &values, DType type)
    : type_(type), bytes_(values.size() * size_of(type)) {
    auto *half = reinterpret_cast<uint16_t *>(bytes_.data());
    if (type == DType::f32)
        std::copy(values.begin(), values.end(), bytes_.floats());
    else
        std::transform(values.begin(), values.end(), half, type == DType::bf16 ? bf16_of : f16_of);
}

std::vector<float> Stored::floats() const {
    auto count = static_cast<int64_t>(bytes_.size() / size_of(type_));
    return io::to_f32({"", type_, {count}, bytes_.data(), bytes_.size()});
}

std::vector<int64_t> sequences_of(const Inputs &in, int64_t batch, int64_t length) {
    std::vector<int64_t> starts;
    if (!in.has("seq_start")) {
        for (int64_t b = 0; b <= batch; b++) starts.push_back(b * length);
        return starts;
    }
    if (batch != 1) throw Error(in.path(), "seq_start needs B = 1");
    starts = in.integers("seq_start");
    bool good = starts.size() >= 2 && starts.front() == 0 && starts.back() == length;
    for (size_t s = 1; good && s < starts.size(); s++) good = starts[s] >= starts[s - 1];
    if (!good) throw Error(in.path(), "seq_start must rise from 0 to " + std::to_string(length));
    return starts;
}

std::vector<float> swap_axes(const std::vector<float> &v, int64_t outer, int64_t rows, int64_t cols) {
    std::vector<float> out(v.size());
    for (int64_t o = 0; o < outer; o++)
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < cols; c++)
                out[static_cast<size_t>((o * cols + c) * rows + r)] =
                    v[static_cast<size_t>((o * rows + r) * cols + c)];
    return out;
}

} // namespace ks::cli
