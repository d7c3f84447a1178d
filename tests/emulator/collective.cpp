// SPDX-License-Identifier: Apache-2.0
// What the lanes of a warp do together: exchanges and votes. They come with all lanes of the warp that have
// not ended (warp.cpp).
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

const Known known[] = {
    {"shfl.sync.up.b32", shuffle<Way::up>, {0, 0, 0, 0, 0}},
    {"shfl.sync.down.b32", shuffle<Way::down>, {0, 0, 0, 0, 0}},
    {"shfl.sync.bfly.b32", shuffle<Way::bfly>, {0, 0, 0, 0, 0}},
    {"shfl.sync.idx.b32", shuffle<Way::idx>, {0, 0, 0, 0, 0}},
    {"redux.sync.add.s32", reduce<false>, {0, 0, 0}},
    {"vote.sync.ballot.b32", reduce<true>, {0, 0, 0}},
};

} // namespace

bool decode_exchange(Instruction &i) { return decode_collective(i, known, std::size(known)); }

} // namespace ks::emulator
