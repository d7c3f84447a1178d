// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies of a thread to shared memory (cp.async): they land when it waits for them.
#include "tests/emulator/decode.h"
#include "tests/emulator/mbarrier_use.h"
#include <cstring>

namespace ks::emulator {

namespace {

void copy(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        uint64_t to = w.address(i.operands[0], lane), from = w.address(i.operands[1], lane);
        uint64_t read =
            i.operands.size() == 4 ? static_cast<uint32_t>(w.value(i.operands[3], lane)) : i.bytes;
        if (read > i.bytes) throw Fault("copies more bytes than there is room for");
        if (from % i.bytes) throw Fault("a misaligned access to global memory");
        if (read) w.global().span(from, read);
        w.shared().claim(to, i.bytes, w.actor(lane)); // it may land from now on
        w.copies(lane).list.push_back({to, from, read, i.bytes - read, w.copies(lane).committed + 1});
        w.copies(lane).add();
    });
}

// Those of groups until `group`.
void land(Warp &w, unsigned lane, uint32_t group) {
    auto &list = w.copies(lane).list;
    auto first_left = std::find_if(list.begin(), list.end(), [&](auto &c) { return c.group > group; });
    for (auto c = list.begin(); c != first_left; c++) {
        uint8_t bytes[16] = {};
        if (c->bytes) std::memcpy(bytes, w.global().span(c->from, c->bytes), c->bytes);
        w.shared().land(c->to, bytes, c->bytes + c->zeros, w.actor(lane));
    }
    list.erase(list.begin(), first_left);
}

void commit(Warp &w, const Instruction &, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) { w.copies(lane).commit(); });
}

void wait_for_groups(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        w.copies(lane).wait(w.value(i.operands[0], lane));
        land(w, lane, w.copies(lane).done);
    });
}

void wait_for_all(Warp &w, const Instruction &, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) { land(w, lane, ~0u); });
}

// The mbarrier's phase does not end before the copies have landed, since they do so first.
void arrive(Warp &w, const Instruction &i, uint32_t lanes) {
    wait_for_all(w, i, lanes);
    for_lanes(lanes, [&](unsigned lane) { arrive_at(w, w.address(i.operands[0], lane), lane); });
}

const Known known[] = {
    {"cp.async.commit_group", commit, {}},
    {"cp.async.wait_group", wait_for_groups, {0}},
    {"cp.async.wait_all", wait_for_all, {}},
    {"cp.async.mbarrier.arrive.noinc.shared::cta.b64", arrive, {0}},
};

} // namespace

bool decode_copy(Instruction &i) {
    if (decode_known(i, known, std::size(known))) return i.asynchronous = i.step == arrive, true;
    bool all = i.name == "cp.async.cg.shared.global", some = i.name == "cp.async.ca.shared.global";
    const size_t count = i.operands.size();
    if ((!all && !some) || (count != 3 && count != 4) || i.operands[2].kind != Operand::number) return false;
    i.bytes = i.operands[2].value;
    if (i.bytes != 16 && (all || (i.bytes != 4 && i.bytes != 8)))
        throw Fault("copies another number of bytes");
    return i.step = copy, true;
}

} // namespace ks::emulator
