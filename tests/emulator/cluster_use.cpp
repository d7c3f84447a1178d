// SPDX-License-Identifier: Apache-2.0
// What the threads of a cluster's blocks do to each other.
#include "tests/emulator/decode.h"
#include "tests/emulator/mbarrier_use.h"

namespace ks::emulator {

namespace {

void arrive(Warp &w, const Instruction &, uint32_t lanes) {
    if (!w.all(lanes)) throw Fault("an arrival of a part of a warp");
    for_lanes(lanes, [&](unsigned lane) {
        if (w.cluster_arrivals[lane]++ != w.cluster_waits[lane]) throw Fault("arrives again before it waits");
        w.cluster().arrive(w.block(), w.thread(lane));
    });
}

void wait(Warp &w, const Instruction &, uint32_t lanes) {
    bool over = true;
    for_lanes(lanes, [&](unsigned lane) {
        if (w.cluster_arrivals[lane] == w.cluster_waits[lane]) throw Fault("waits before it arrives");
        over = over && w.cluster().phases >= w.cluster_arrivals[lane];
    });
    if (!over) return w.stall(true);
    for_lanes(lanes, [&](unsigned lane) {
        w.cluster_waits[lane]++;
        w.block().clocks.acquire(w.thread(lane), w.block().joined);
    });
}

// mapa d, a, rank: the same address in another block.
void map(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        const uint64_t rank = w.value(i.operands[2], lane), from = w.value(i.operands[1], lane);
        if (rank >= w.cluster().blocks.size()) throw Fault("no block of that rank is in the cluster");
        w.to(i.operands[0])[lane] = address_in(static_cast<unsigned>(rank), from);
    });
}

Block &block_at(const Warp &w, uint64_t address, unsigned lane) {
    const uint64_t rank = address >> block_shift;
    Block &block = rank ? w.cluster().blocks.at(rank - 1) : w.block();
    if (!w.cluster_waits[lane]) throw Fault("a store to a block that may not have begun");
    if (block.ended) throw Fault("a store to a block that has ended");
    return block;
}

// st.async [to], {a, b, c, d}, [mbarrier]: both in one block of the cluster. What its threads did before the
// last barrier of the cluster comes before it.
void store(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        const uint64_t to = w.address(i.operands[0], lane), counter = w.address(i.operands[2], lane);
        if (to >> block_shift != counter >> block_shift) throw Fault("the mbarrier is in another block");
        Block &block = block_at(w, to, lane);
        Mbarrier &m = counting_mbarrier(block.mbarriers.at(address_in_block(counter)));
        const Actor by{m.copy().agent, m.copy().clock, block.joined.seen.data()};
        block.shared.use(address_in_block(counter), by);
        uint32_t words[4];
        for (size_t e = 0; e < 4; e++)
            words[e] = static_cast<uint32_t>(w.value(i.operands[1].elements[e], lane));
        block.shared.store(address_in_block(to), words, sizeof words, by);
        w.cluster().copy(m, sizeof words);
    });
}

const Known together[] = {{"barrier.cluster.arrive.release.aligned", arrive, {}}};
const Known known[] = {
    {"barrier.cluster.wait.acquire", wait, {}},
    {"mapa.shared::cluster.u32", map, {0, 0, 0}},
    {"st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.f32", store, {0, 4, 0}},
};

} // namespace

bool decode_cluster(Instruction &i) {
    return (decode_known(i, known, std::size(known)) ||
            decode_collective(i, together, std::size(together))) &&
           (i.asynchronous = true);
}

} // namespace ks::emulator
