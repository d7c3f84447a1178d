// SPDX-License-Identifier: Apache-2.0
// mbarriers and fences, as instructions.
#include "tests/emulator/mbarrier_use.h"
#include "tests/emulator/decode.h"

namespace ks::emulator {

namespace {

void init(Warp &w, const Instruction &i, uint32_t lanes) {
    constexpr size_t object_bytes = 8;
    constexpr uint64_t most = (1 << 20) - 1;
    for_lanes(lanes, [&](unsigned lane) {
        Mbarrier m;
        const uint64_t at = w.address(i.operands[0], lane), count = w.value(i.operands[1], lane);
        if (!count || count > most) throw Fault("an mbarrier for another number of threads");
        m.expected = m.pending = static_cast<uint32_t>(count);
        m.initialised_by = w.thread(lane);
        w.shared().take(at, object_bytes, w.actor(lane));
        m.agent = w.block().clocks.add_mbarrier(at);
        w.block().mbarriers.add(at, m);
    });
}

// mbarrier.arrive token, [address]: the token is not looked at.
void arrive(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) { arrive_at(w, w.address(i.operands[1], lane), lane); });
}

void arrive_and_expect(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        const uint64_t at = w.address(i.operands[1], lane);
        mbarrier_at(w, at, lane).expect(static_cast<uint32_t>(w.value(i.operands[2], lane)));
        arrive_at(w, at, lane);
    });
}

// Whether the phase of that parity is over. It does not wait, as it may: loops are to ask again.
void try_wait(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        Mbarrier &m = mbarrier_at(w, w.address(i.operands[1], lane), lane);
        const uint64_t parity = w.value(i.operands[2], lane);
        if (parity > 1) throw Fault("a parity that is neither 0 nor 1");
        const bool over = (m.over & 1) != parity;
        w.to(i.operands[0])[lane] = over;
        if (!over) return w.stall(false);
        w.block().clocks.acquire(w.thread(lane), m.done);
        w.block().clocks.learn(w.thread(lane), {m.agent, m.over});
    });
}

void publish(Warp &w, const Instruction &, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) { w.block().mbarriers.publish(w.thread(lane)); });
}

// Publishes them too.
void fence(Warp &w, const Instruction &i, uint32_t lanes) {
    publish(w, i, lanes);
    for_lanes(lanes, [&](unsigned lane) { w.block().clocks.fence(w.thread(lane)); });
}

const Known known[] = {
    {"mbarrier.init.shared::cta.b64", init, {0, 0}},
    {"mbarrier.arrive.shared::cta.b64", arrive, {0, 0}},
    {"mbarrier.arrive.expect_tx.shared::cta.b64", arrive_and_expect, {0, 0, 0}},
    {"mbarrier.try_wait.parity.shared::cta.b64", try_wait, {0, 0, 0}},
    {"mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64", try_wait, {0, 0, 0}},
    {"fence.mbarrier_init.release.cluster", publish, {}},
    {"fence.proxy.async.shared::cta", fence, {}},
};

} // namespace

Mbarrier &mbarrier_at(Warp &w, uint64_t address, unsigned lane) {
    Mbarrier &m = w.block().mbarriers.at(address);
    w.shared().use(address, w.actor(lane));
    return m;
}

Mbarrier &counting_mbarrier(Mbarrier &m) {
    if (!m.published) throw Fault("no fence behind the initialisation of the mbarrier that counts a copy");
    return m;
}

void arrive_at(Warp &w, uint64_t address, unsigned lane) {
    Mbarrier &m = mbarrier_at(w, address, lane);
    w.block().clocks.release(w.thread(lane), m.arriving);
    m.arrive();
    w.cluster().progress++;
}

uint64_t own_address(const Warp &w, uint64_t address) {
    const uint64_t rank = address >> block_shift;
    if (rank && &w.cluster().blocks.at(rank - 1) != &w.block()) throw Fault("an address of another block");
    return address_in_block(address);
}

bool decode_mbarrier(Instruction &i) {
    return decode_known(i, known, std::size(known)) && (i.asynchronous = true);
}

} // namespace ks::emulator
