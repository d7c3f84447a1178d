// SPDX-License-Identifier: Apache-2.0
// What the lanes of a warp do together: exchanges, votes and products of matrices. They come with all lanes
// of the warp that have not ended (warp.cpp).
#include "tests/emulator/decode.h"
#include "tests/emulator/warp.h"

namespace ks::emulator {

namespace {

// The mask must name all lanes that execute the instruction.
void check_members(const Warp &w, const Operand &mask, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        if (lanes & ~static_cast<uint32_t>(w.value(mask, lane)))
            throw Fault("a mask that leaves out a lane which executes it");
    });
}

enum class Way { up, down, bfly, idx };

// The lane whose value `lane` gets; `clamp`: the limit, and the mask of segments above it.
template <Way way>
unsigned source_lane(unsigned lane, unsigned by, unsigned clamp) {
    unsigned segments = clamp >> 8 & 31, limit = clamp & 31;
    unsigned most = (lane & segments) | (limit & ~segments), least = lane & segments;
    if constexpr (way == Way::up)
        return static_cast<int>(lane - by) >= static_cast<int>(most) ? lane - by : lane;
    unsigned from = way == Way::down ? lane + by : way == Way::bfly ? lane ^ by : least | (by & ~segments);
    return from <= most ? from : lane;
}

// shfl.sync.up.b32 d, a, b, c, members
template <Way way>
void shuffle(Warp &w, const Instruction &i, uint32_t lanes) {
    check_members(w, i.operands[4], lanes);
    const Source from = w.source(i.operands[1]), by = w.source(i.operands[2]),
                 clamp = w.source(i.operands[3]);
    Lanes got{};
    for (unsigned lane = 0; lane < 32; lane++) {
        unsigned l = source_lane<way>(lane, by[lane] & 31, static_cast<unsigned>(clamp[lane]));
        got[lane] = lanes >> l & 1 ? from[l] & 0xffffffff : 0x7ff7dead; // a lane that is not there
    }
    for_lanes(lanes, [&](unsigned lane) { w.to(i.operands[0])[lane] = got[lane]; });
}

// redux.sync.add.s32 and vote.sync.ballot.b32: d, a, members
template <bool ballot>
void reduce(Warp &w, const Instruction &i, uint32_t lanes) {
    check_members(w, i.operands[2], lanes);
    uint32_t all = 0;
    for_lanes(lanes, [&](unsigned lane) {
        uint64_t v = w.value(i.operands[1], lane);
        all += ballot ? uint32_t{v != 0} << lane : static_cast<uint32_t>(v);
    });
    for_lanes(lanes, [&](unsigned lane) { w.to(i.operands[0])[lane] = all; });
}

struct Matrices {
    float a[16][16], b[16][8];
};

float tf32(uint64_t bits) { return value_of<float>(bits & 0xffffe000); } // the rest is not looked at

// Fragments as the PTX ISA lays them out: a lane holds row lane / 4, and columns from lane % 4 on.
template <bool bf16>
Matrices gather(const Warp &w, const Instruction &i) {
    const auto &a = i.operands[1].elements, &b = i.operands[2].elements;
    Matrices m;
    for (unsigned lane = 0; lane < 32; lane++) {
        const unsigned row = lane / 4, column = lane % 4;
        for (unsigned e = 0; e < 4; e++) {
            const uint64_t bits = w.value(a[e], lane);
            float *to = m.a[row + e % 2 * 8];
            if constexpr (!bf16) to[column + e / 2 * 4] = tf32(bits);
            for (unsigned half = 0; bf16 && half < 2; half++)
                to[2 * column + half + e / 2 * 8] = from_bf16(static_cast<uint16_t>(bits >> 16 * half));
        }
        for (unsigned e = 0; e < 2; e++) {
            const uint64_t bits = w.value(b[e], lane);
            if constexpr (!bf16) m.b[column + e * 4][row] = tf32(bits);
            for (unsigned half = 0; bf16 && half < 2; half++)
                m.b[2 * column + half + e * 8][row] = from_bf16(static_cast<uint16_t>(bits >> 16 * half));
        }
    }
    return m;
}

// d = a b + c, with products exact and sums in double precision, rounded once.
template <bool bf16>
void multiply(Warp &w, const Instruction &i, uint32_t lanes) {
    if (lanes != ~0u) throw Fault("a product of matrices by a part of a warp");
    const Matrices m = gather<bf16>(w, i);
    std::array<Lanes, 4> d; // which may be c
    for (unsigned lane = 0; lane < 32; lane++)
        for (unsigned e = 0; e < 4; e++) {
            const unsigned row = lane / 4 + e / 2 * 8, column = lane % 4 * 2 + e % 2;
            double sum = value_of<float>(w.value(i.operands[3].elements[e], lane));
            for (unsigned k = 0; k < (bf16 ? 16 : 8); k++) sum += double{m.a[row][k]} * m.b[k][column];
            d[e][lane] = bits_of(static_cast<float>(sum));
        }
    for (size_t e = 0; e < 4; e++) w.to(i.operands[0].elements[e]) = d[e];
}

struct Known {
    const char *name;
    Step step;
    std::vector<size_t> operands; // elements of each list; 0: one value
};

const Known known[] = {
    {"shfl.sync.up.b32", shuffle<Way::up>, {0, 0, 0, 0, 0}},
    {"shfl.sync.down.b32", shuffle<Way::down>, {0, 0, 0, 0, 0}},
    {"shfl.sync.bfly.b32", shuffle<Way::bfly>, {0, 0, 0, 0, 0}},
    {"shfl.sync.idx.b32", shuffle<Way::idx>, {0, 0, 0, 0, 0}},
    {"redux.sync.add.s32", reduce<false>, {0, 0, 0}},
    {"vote.sync.ballot.b32", reduce<true>, {0, 0, 0}},
    {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", multiply<false>, {4, 4, 2, 4}},
    {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", multiply<true>, {4, 4, 2, 4}},
};

} // namespace

bool decode_collective(Instruction &i) {
    for (const Known &k : known) {
        if (i.name != k.name) continue;
        bool fits = i.operands.size() == k.operands.size();
        for (size_t o = 0; fits && o < k.operands.size(); o++)
            fits = i.operands[o].elements.size() == k.operands[o];
        if (!fits) throw Fault("has other operands than the instruction");
        i.step = k.step, i.flow = Instruction::collective;
        return true;
    }
    return false;
}

} // namespace ks::emulator
