// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/tensor_map.h"
#include "tests/emulator/program.h"
#include <algorithm>

namespace ks::emulator {

namespace {

constexpr uint64_t chunk = 16; // bytes that addresses and strides are multiples of
constexpr uint32_t most_box = 256, most_element_stride = 8;

// As the driver checks them, in all dimensions.
bool legal(const TensorMapRequest &r, uint64_t element_bytes) {
    if (r.rank < 1 || r.rank > 5 || r.address % chunk || !r.address) return false;
    for (uint32_t d = 0; d < r.rank; d++) {
        if (!r.dims[d] || r.dims[d] > uint64_t{1} << 32) return false;
        if (!r.box[d] || r.box[d] > most_box) return false;
        if (!r.element_strides[d] || r.element_strides[d] > most_element_stride) return false;
        if (d + 1 < r.rank && (r.strides[d] % chunk || r.strides[d] >= uint64_t{1} << 40)) return false;
    }
    const uint64_t inner = r.box[0] * element_bytes;
    constexpr uint64_t swizzle_bytes[] = {~uint64_t{0}, 32, 64, 128};
    return inner % chunk == 0 && r.swizzle >= 0 && r.swizzle <= 3 && inner <= swizzle_bytes[r.swizzle];
}

} // namespace

bool encode(const TensorMapRequest &r, TensorMap &map) {
    constexpr int u16 = 1, u32 = 2, swizzle_128 = 3;
    if (r.type != u16 && r.type != u32) throw Fault("a tensor map of another type");
    const uint32_t element_bytes = r.type == u16 ? 2 : 4;
    if (!legal(r, element_bytes)) return false;
    if (r.rank != 2 || r.swizzle != swizzle_128 || r.interleave || r.fill ||
        r.box[0] * element_bytes != 128 || r.element_strides[0] != 1 || r.element_strides[1] != 1)
        throw Fault("a tensor map that the emulator does not know");
    map = {TensorMap::magic_number, r.address, r.dims[0], r.dims[1], r.strides[0], r.box[0], r.box[1],
           element_bytes,           {}};
    return true;
}

void for_box(const TensorMap &m, int column, int row, const BoxPart &part) {
    if (m.magic != TensorMap::magic_number) throw Fault("there is no tensor map at the address");
    const int64_t width = static_cast<int64_t>(m.columns) * m.element_bytes;
    const uint64_t bytes = uint64_t{m.box_columns} * m.element_bytes;
    for (uint64_t r = 0; r < m.box_rows; r++)
        for (uint64_t b = 0; b < bytes; b += chunk) {
            const int64_t from = int64_t{column} * m.element_bytes + static_cast<int64_t>(b),
                          of_row = row + static_cast<int64_t>(r);
            if (from < 0 && from > -static_cast<int64_t>(chunk)) throw Fault("a box that begins in a chunk");
            bool is = from >= 0 && from < width && of_row >= 0 && of_row < static_cast<int64_t>(m.rows);
            auto inside = is ? std::min<int64_t>(chunk, width - from) : 0;
            part(r * bytes + b,
                 m.address + static_cast<uint64_t>(of_row) * m.row_bytes + static_cast<uint64_t>(from),
                 static_cast<size_t>(inside));
        }
}

} // namespace ks::emulator
