// SPDX-License-Identifier: Apache-2.0
// Products of matrices by one warp, and their fragments out of shared memory.
#include "tests/emulator/decode.h"
#include "tests/emulator/warp.h"

namespace ks::emulator {

namespace {

struct Matrices {
    float a[16][16], b[16][8];
};

// What registers hold: an element, or two halves.
struct Tf32 {
    static constexpr unsigned halves = 1;
    static float of(uint64_t bits, unsigned) { return value_of<float>(bits & 0xffffe000); } // no more is read
};
template <float (*value)(uint16_t)>
struct Half {
    static constexpr unsigned halves = 2;
    static float of(uint64_t bits, unsigned half) { return value(static_cast<uint16_t>(bits >> 16 * half)); }
};

// Fragments as the PTX ISA lays them out: a lane holds row lane / 4, and columns from lane % 4 on.
template <typename Element>
Matrices gather(const Warp &w, const Instruction &i) {
    const auto &a = i.operands[1].elements, &b = i.operands[2].elements;
    constexpr unsigned n = Element::halves;
    Matrices m;
    for (unsigned lane = 0; lane < 32; lane++) {
        const unsigned row = lane / 4, column = lane % 4;
        for (unsigned e = 0; e < 4; e++) {
            const uint64_t bits = w.value(a[e], lane);
            for (unsigned half = 0; half < n; half++)
                m.a[row + e % 2 * 8][n * column + half + e / 2 * 4 * n] = Element::of(bits, half);
        }
        for (unsigned e = 0; e < 2; e++) {
            const uint64_t bits = w.value(b[e], lane);
            for (unsigned half = 0; half < n; half++)
                m.b[n * column + half + e * 4 * n][row] = Element::of(bits, half);
        }
    }
    return m;
}

// d = a b + c, with products exact and sums in double precision, rounded once.
template <typename Element>
void multiply(Warp &w, const Instruction &i, uint32_t lanes) {
    if (lanes != ~0u) throw Fault("a product of matrices by a part of a warp");
    const Matrices m = gather<Element>(w, i);
    std::array<Lanes, 4> d; // which may be c
    for (unsigned lane = 0; lane < 32; lane++)
        for (unsigned e = 0; e < 4; e++) {
            const unsigned row = lane / 4 + e / 2 * 8, column = lane % 4 * 2 + e % 2;
            double sum = value_of<float>(w.value(i.operands[3].elements[e], lane));
            for (unsigned k = 0; k < 8 * Element::halves; k++) sum += double{m.a[row][k]} * m.b[k][column];
            d[e][lane] = bits_of(static_cast<float>(sum));
        }
    for (size_t e = 0; e < 4; e++) w.to(i.operands[0].elements[e]) = d[e];
}

// Lane 8 m + r says where row r of matrix m is; a lane gets the pair lane % 4 of row lane / 4 of each.
void load_matrices(Warp &w, const Instruction &i, uint32_t lanes) {
    if (lanes != ~0u) throw Fault("matrices for a part of a warp");
    uint32_t rows[32][4];
    for_lanes(lanes, [&](unsigned lane) {
        w.shared().load(w.address(i.operands[1], lane), rows[lane], sizeof rows[lane], w.actor(lane));
    });
    for (unsigned m = 0; m < 4; m++) {
        Lanes &to = w.to(i.operands[0].elements[m]);
        for_lanes(lanes, [&](unsigned lane) { to[lane] = rows[8 * m + lane / 4][lane % 4]; });
    }
}

const Known known[] = {
    {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", multiply<Tf32>, {4, 4, 2, 4}},
    {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", multiply<Half<from_bf16>>, {4, 4, 2, 4}},
    {"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", multiply<Half<from_f16>>, {4, 4, 2, 4}},
    {"ldmatrix.sync.aligned.m8n8.x4.shared.b16", load_matrices, {4, 0}},
};

} // namespace

bool decode_matrices(Instruction &i) { return decode_collective(i, known, std::size(known)); }

} // namespace ks::emulator
