// SPDX-License-Identifier: Apache-2.0
// What a model remembers of its sequences: convolution inputs and scan states per mixer, and positions.
#pragma once
#include "runtime/base/aligned.h"
#include "runtime/io/tensor.h"
#include "runtime/model/config.h"
#include <string>
#include <vector>

namespace ks::model {

// Slots are sequences; a new one is all zero: nothing read yet. Layout per mixer layer: conv [slots][W-1][Di]
// (oldest input first), scan [slots][N][Di], f32.
class State {
  public:
    State(const Config &config, int slots);

    int slots() const { return slots_; }
    size_t bytes() const { return memory_.size(); } // of all slots
    float *conv(size_t layer, int slot) const {
        return at(layers_[layer].conv, layers_[layer].conv_size, slot);
    }
    float *scan(size_t layer, int slot) const {
        return at(layers_[layer].scan, layers_[layer].scan_size, slot);
    }
    int64_t &position(int slot) { return positions_[static_cast<size_t>(slot)]; } // tokens read

    void clear();

    // One npz: conv.<layer>, scan.<layer>, positions, and what else the caller keeps under other names.
    // load() throws ks::Error(path, cause) when the file is of another model or slot count, and leaves the
    // state as it was.
    void save(const std::string &path, const std::vector<io::Tensor> &others = {}) const;
    void load(const std::string &path);

  private:
    State(const State &like, int); // same shape, all zero
    struct Place {
        size_t conv = 0, conv_size = 0, scan = 0, scan_size = 0; // offsets and sizes of one slot, in floats
    };
    float *at(size_t offset, size_t size, int slot) const {
        return memory_.floats() + offset + size * static_cast<size_t>(slot);
    }

    int slots_;
    int64_t conv_rows_, states_, width_;
    std::vector<Place> layers_; // of layers without a mixer: sizes 0
    std::vector<int64_t> positions_;
    AlignedBytes memory_;
};

} // namespace ks::model
