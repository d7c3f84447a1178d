// SPDX-License-Identifier: Apache-2.0
// How the launch of a tile kernel differs from that of Halide's other kernels: more shared memory than Halide
// asks for, and behind Halide's parameters some of its own, a tensor map each. (Halide's own number of
// threads is right: the pass has changed the loop.)
#pragma once
#include <cstdint>

namespace ks::cuda {

// A buffer of any number of dimensions as rows: dimension 0 has stride 1, every stride beyond dimension 1 is
// a multiple of that of dimension 1, and the map has 1 + sum of (extent - 1) * stride / stride of dimension 1
// rows of it, d >= 1. Boxes are 128 bytes wide, swizzled by 128 bytes; outside of the map they read zeros and
// store nothing. Address and row stride are multiples of 16 bytes, or encoding the map fails.
struct TensorMapOf {
    uint32_t argument; // the buffer: its place among Halide's parameters of the kernel, from 0
    uint32_t columns;  // elements of a row; 0: the extent of dimension 0
    uint32_t box_rows;
};

struct TileLaunch {
    static constexpr uint32_t most_maps = 3;
    uint32_t shared_bytes; // dynamic shared memory beside what Halide asks for
    uint32_t maps;
    TensorMapOf map[most_maps]; // parameters of 128 bytes (CUtensorMap), in this order
};

} // namespace ks::cuda
