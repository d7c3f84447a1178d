// SPDX-License-Identifier: Apache-2.0
#include "runtime/model/state.h"
#include "runtime/base/error.h"
#include "runtime/io/npz.h"
#include <algorithm>

namespace ks::model {

State::State(const Config &c, int slots)
    : slots_(slots),
      conv_rows_(c.conv_width - 1),
      states_(c.state),
      width_(c.inner),
      layers_(c.layers.size()),
      positions_(static_cast<size_t>(slots), 0) {
    size_t total = 0;
    auto place = [&](size_t size) {
        size_t offset = total;
        // Arrays that begin at the same place in a page share cache sets: stagger them by a few lines.
        total += (size * static_cast<size_t>(slots) + 15) / 16 * 16 + 5 * 16;
        return offset;
    };
    for (size_t i = 0; i < layers_.size(); i++) {
        if (!c.layers[i].mixer) continue;
        Place &p = layers_[i];
        p.conv_size = static_cast<size_t>(conv_rows_ * width_);
        p.scan_size = static_cast<size_t>(states_ * width_);
        p.conv = place(p.conv_size);
        p.scan = place(p.scan_size);
    }
    memory_ = AlignedBytes(total * sizeof(float));
}

State::State(const State &like, int)
    : slots_(like.slots_),
      conv_rows_(like.conv_rows_),
      states_(like.states_),
      width_(like.width_),
      layers_(like.layers_),
      positions_(like.positions_.size(), 0),
      memory_(like.memory_.size()) {}

void State::clear() {
    std::memset(memory_.data(), 0, memory_.size());
    std::fill(positions_.begin(), positions_.end(), 0);
}

void State::save(const std::string &path, const std::vector<io::Tensor> &others) const {
    std::vector<io::Tensor> tensors = others;
    auto add = [&](const std::string &name, const float *data, std::vector<int64_t> shape) {
        int64_t n = 1;
        for (int64_t d : shape) n *= d;
        tensors.push_back({name, DType::f32, std::move(shape), reinterpret_cast<const std::byte *>(data),
                           static_cast<size_t>(n) * sizeof(float)});
    };
    for (size_t i = 0; i < layers_.size(); i++) {
        if (!layers_[i].scan_size) continue;
        add("conv." + std::to_string(i), conv(i, 0), {slots_, conv_rows_, width_});
        add("scan." + std::to_string(i), scan(i, 0), {slots_, states_, width_});
    }
    tensors.push_back(io::tensor_of("positions", positions_, {slots_}));
    io::write_npz(path, tensors);
}

void State::load(const std::string &path) {
    io::NpzReader file(path);
    State fresh = State(*this, 0);
    auto read = [&](const std::string &name, float *to, std::vector<int64_t> shape) {
        io::Array a = file.read(name);
        if (a.dtype != DType::f32 || a.shape != shape)
            throw Error(path, name + " is " + io::shape_text(a.shape) + ", this model's state is " +
                                  io::shape_text(shape));
        std::memcpy(to, a.data.data(), a.data.size());
    };
    for (size_t i = 0; i < layers_.size(); i++) {
        if (!layers_[i].scan_size) continue;
        read("conv." + std::to_string(i), fresh.conv(i, 0), {slots_, conv_rows_, width_});
        read("scan." + std::to_string(i), fresh.scan(i, 0), {slots_, states_, width_});
    }
    io::Array positions = file.read("positions");
    if (positions.dtype != DType::i64 || positions.shape != std::vector<int64_t>{slots_})
        throw Error(path, "positions do not fit this state");
    std::memcpy(fresh.positions_.data(), positions.data.data(), positions.data.size());
    *this = std::move(fresh);
}

} // namespace ks::model
