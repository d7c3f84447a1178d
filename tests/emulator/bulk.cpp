// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies of boxes of tensors, which one thread begins (cp.async.bulk.tensor). They are made at
// once; that nobody relies on this, the clocks of shared memory see to.
#include "tests/emulator/decode.h"
#include "tests/emulator/mbarrier_use.h"
#include "tests/emulator/tensor_map.h"
#include <cstring>

namespace ks::emulator {

namespace {

constexpr uint64_t box_alignment = 128; // of shared memory

TensorMap map_at(const Warp &w, uint64_t address) {
    const uint64_t offset = address - parameter_window;
    TensorMap m;
    if (address < parameter_window || offset % 64 || offset + sizeof m > w.parameters().size())
        throw Fault("no parameter has a tensor map at the address");
    std::memcpy(&m, w.parameters().data() + offset, sizeof m);
    return m;
}

// `map`: [address, {column, row}].
template <typename Part>
TensorMap for_box_of(const Warp &w, const Operand &map, uint64_t shared, unsigned lane, const Part &part) {
    if (shared % box_alignment) throw Fault("a box at no multiple of 128 bytes");
    const TensorMap m = map_at(w, w.address(map, lane));
    auto coordinate = [&](size_t d) { return static_cast<int32_t>(w.value(map.elements[d], lane)); };
    for_box(m, coordinate(0), coordinate(1), [&](uint64_t at, uint64_t global, size_t inside) {
        part(swizzled(shared + at), global, inside);
    });
    return m;
}

void load(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        const uint64_t to = own_address(w, w.address(i.operands[0], lane)),
                       counter = own_address(w, w.address(i.operands[2], lane));
        Mbarrier &mbarrier = counting_mbarrier(mbarrier_at(w, counter, lane));
        const Actor by = w.block().clocks.asynchronous(w.thread(lane), mbarrier.copy());
        auto part = [&](uint64_t at, uint64_t global, size_t inside) {
            uint8_t chunk[16] = {};
            if (inside) std::memcpy(chunk, w.global().span(global, inside), inside);
            w.shared().store(at, chunk, sizeof chunk, by);
        };
        const TensorMap m = for_box_of(w, i.operands[1], to, lane, part);
        w.cluster().copy(mbarrier, box_bytes(m));
    });
}

void store(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        if (w.storing_lane >= 0 && w.storing_lane != static_cast<int>(lane))
            throw Fault("bulk stores of two lanes of a warp, which the emulator does not know");
        w.storing_lane = static_cast<int>(lane);
        const Stamp as{w.block().clocks.stores_of(w.number()), w.stores.committed + 1};
        const Actor by = w.block().clocks.asynchronous(w.thread(lane), as);
        for_box_of(w, i.operands[0], w.address(i.operands[1], lane), lane,
                   [&](uint64_t at, uint64_t global, size_t inside) {
                       uint8_t chunk[16];
                       w.shared().load(at, chunk, sizeof chunk, by);
                       if (inside) std::memcpy(w.global().span(global, inside), chunk, inside);
                   });
        w.stores.add();
    });
}

bool is_storing(const Warp &w, uint32_t lanes) { return w.storing_lane >= 0 && lanes >> w.storing_lane & 1; }

void commit(Warp &w, const Instruction &, uint32_t lanes) {
    if (is_storing(w, lanes)) w.stores.commit();
}

// Of other threads there is nothing to wait for.
void wait_for_groups(Warp &w, const Instruction &i, uint32_t lanes) {
    if (!is_storing(w, lanes)) return;
    const auto lane = static_cast<unsigned>(w.storing_lane);
    w.stores.wait(w.value(i.operands[0], lane));
    w.block().clocks.learn(w.thread(lane), {w.block().clocks.stores_of(w.number()), w.stores.done});
}

const Known known[] = {
    {"cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes", load, {0, 2, 0}},
    {"cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group", store, {2, 0}},
    {"cp.async.bulk.commit_group", commit, {}},
    {"cp.async.bulk.wait_group.read", wait_for_groups, {0}},
    {"cp.async.bulk.wait_group", wait_for_groups, {0}},
};

} // namespace

bool decode_bulk(Instruction &i) {
    return decode_known(i, known, std::size(known)) && (i.asynchronous = true);
}

} // namespace ks::emulator
