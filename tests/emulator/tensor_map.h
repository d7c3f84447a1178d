// SPDX-License-Identifier: Apache-2.0
// Tensor maps: what cuTensorMapEncodeTiled accepts (CUDA driver API), and the boxes that copies move.
#pragma once
#include "tests/emulator/memory.h"
#include <functional>

namespace ks::emulator {

// The 128 bytes of a CUtensorMap, in a layout of our own.
struct TensorMap {
    static constexpr uint64_t magic_number = 0x70616d726f736e74;
    uint64_t magic, address;
    uint64_t columns, rows, row_bytes; // row_bytes: from one row to the next
    uint32_t box_columns, box_rows, element_bytes;
    uint8_t rest[76];
};
static_assert(sizeof(TensorMap) == 128);

struct TensorMapRequest { // the arguments of the call
    int type;
    uint32_t rank;
    uint64_t address;
    const uint64_t *dims, *strides;
    const uint32_t *box, *element_strides;
    int interleave, swizzle, promotion, fill;
};

// False: the driver refuses it. Throws Fault for what the emulator does not know.
bool encode(const TensorMapRequest &request, TensorMap &map);

// Calls part(byte in the box, address in global memory, bytes inside of the tensor) for every 16 bytes of the
// box at that element. Shared memory has them at swizzled(address of the box, byte in the box).
using BoxPart = std::function<void(uint64_t at, uint64_t global, size_t inside)>;
void for_box(const TensorMap &map, int column, int row, const BoxPart &part);
inline size_t box_bytes(const TensorMap &m) { return size_t{m.box_columns} * m.element_bytes * m.box_rows; }

// 128-byte swizzle: within 1024 bytes of memory, the row of 128 bytes moves chunks of 16.
inline uint64_t swizzled(uint64_t address) { return address ^ (address >> 7 & 7) << 4; }

} // namespace ks::emulator
