// SPDX-License-Identifier: Apache-2.0
// Blocks of a cluster that have summed their parts of K: each gets from every other one the sums of its share
// of the columns, and adds them to its own. Sums are written straight into the shared memory of the block
// that wants them and counted there by an mbarrier, so that nobody waits for a block that it gets nothing
// from, and a block that has left its sums behind may end. The order of addition is fixed: a block's own sums
// first, then those of the ranks behind it, in turn.
#include "dsl/tile/cuda/fragment.h"
#include "dsl/tile/cuda/ring.h"
#include "dsl/tile/cuda/wgmma.h"

namespace ks::tile::wgmma {

namespace {

constexpr int quad = 4, quad_bytes = 16; // accumulators of a thread in a group of columns: one store

// Of the share of rank `owner`, in the order in which they become the first accumulators.
std::vector<int> quads_of(const TileOp &op, int owner) {
    int groups = op.result_columns() / group_columns, all_groups = op.product_columns() / group_columns;
    std::vector<int> quads;
    for (int part = 0; part < op.slabs * op.products; part++)
        for (int i = 0; i < groups; i++) quads.push_back((part * all_groups + owner * groups + i) * quad);
    return quads;
}

std::string accumulators(int first) {
    std::ostringstream four;
    for (int i = 0; i < quad; i++) four << (i ? ", %ks_acc" : "{%ks_acc") << first + i;
    return four.str() + "}";
}

// Where sums lie behind %mine: conflict-free, 16 bytes for each thread.
int place(const TileOp &op, int slot, size_t number) {
    return slot * SharedLayout::exchange_bytes(op) + static_cast<int>(number) * op.consumers() * quad_bytes;
}

// As `rank`. Every rank begins with another receiver.
void send(Code &code, const TileOp &op, int rank) {
    for (int distance = 1; distance < op.splits; distance++) {
        int owner = (rank + distance) % op.splits, slot = op.splits - 1 - distance;
        code("mapa.shared::cluster.u32 %there, %mine, ", owner, ";");
        code("mapa.shared::cluster.u32 %arrival, %exchanged, ", owner, ";");
        std::vector<int> quads = quads_of(op, owner);
        for (size_t i = 0; i < quads.size(); i++)
            code("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [%there+",
                 place(op, slot, i), "], ", accumulators(quads[i]), ", [%arrival];");
    }
    std::vector<int> own = quads_of(op, rank);
    for (size_t i = 0; i < own.size(); i++)
        for (int j = 0; j < quad; j++) {
            int to = static_cast<int>(i) * quad + j, from = own[i] + j;
            if (to != from) code("mov.f32 %ks_acc", to, ", %ks_acc", from, ";");
        }
}

void add_received(Code &code, const TileOp &op) {
    for (int slot = 0; slot < op.splits - 1; slot++)
        for (int i = 0; i < op.results() / quad; i++)
            code.block([&] {
                code(".reg .f32 %sum<", quad, ">;");
                code("ld.shared.v4.f32 {%sum0, %sum1, %sum2, %sum3}, [%mine+",
                     place(op, slot, static_cast<size_t>(i)), "];");
                for (int j = 0; j < quad; j++) {
                    int to = i * quad + j;
                    code("add.f32 %ks_acc", to, ", %ks_acc", to, ", %sum", j, ";");
                }
            });
}

} // namespace

// Before the barrier of the block's own ring: its first phase ends when all that others send is here.
void begin_exchange(Code &code, const TileOp &op) {
    code.block([&] {
        code(".reg .pred %other;");
        code(".reg .b32 %thread;");
        code(".reg .b64 %token;");
        code("mov.u32 %thread, %tid.x;");
        code("setp.ne.u32 %other, %thread, 0;");
        code("@%other bra READY;");
        code("mbarrier.init.shared::cta.b64 [%ks_base+", SharedLayout::exchanged, "], 1;");
        code("mbarrier.arrive.expect_tx.shared::cta.b64 %token, [%ks_base+", SharedLayout::exchanged, "], ",
             (op.splits - 1) * SharedLayout::exchange_bytes(op), ";");
        code("READY:");
    });
}

void join(Code &code) { code("barrier.cluster.wait.acquire;"); }

void exchange(Code &code, const TileOp &op) {
    code.block([&] {
        code(".reg .b32 %mine, %there, %exchanged, %arrival;");
        code(".reg .pred %other, %over;");
        code("mov.u32 %mine, %tid.x;");
        code("mad.lo.u32 %mine, %mine, ", quad_bytes, ", %ks_base;");
        code("add.u32 %mine, %mine, ", SharedLayout(op).exchange, ";");
        code("add.u32 %exchanged, %ks_base, ", SharedLayout::exchanged, ";");
        for (int rank = 0; rank < op.splits; rank++) { // accumulators are chosen by name
            code("setp.ne.u32 %other, %ks_rank, ", rank, ";");
            code("@%other bra OTHER", rank, ";");
            send(code, op, rank);
            code("bra SENT;");
            code("OTHER", rank, ":");
        }
        code("SENT:");
        code("WAIT:");
        code("mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %over, [%exchanged], 0;");
        code("@!%over bra WAIT;");
        add_received(code, op);
    });
}

} // namespace ks::tile::wgmma
