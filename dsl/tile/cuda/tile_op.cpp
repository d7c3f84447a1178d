// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/tile_op.h"
#include "dsl/tile/cuda/shared_layout.h"
#include "runtime/base/error.h"

namespace ks::tile {

namespace {

void require(bool holds, const std::string &cause) {
    if (!holds) throw Error("tile operation", cause);
}

std::string of(int value, const std::string &name) { return std::to_string(value) + " " + name; }

void check_shape(const TileOp &op) {
    require(op.storage != Storage::f32, "f32 operands have no tensor core form: bf16 or f16");
    require(op.K >= 0, "sums over " + of(op.K, "elements"));
    require(op.warpgroups >= 1 && op.slabs >= 1, "a tile needs a warpgroup and a slab");
    require(op.unit == Unit::mma || op.rows() <= 256,
            of(op.rows(), "rows: a box of a tensor map has at most 256"));
    require(op.products == 1 || op.products == 2, of(op.products, "products in a tile: 1 or 2"));
    require(op.columns >= 8 && op.columns <= 256 && op.columns % (8 * op.products) == 0,
            of(op.columns, "columns: 8 to 256, in eights for each product"));
    require(!op.staged_store || op.result_columns() % store_block_columns == 0,
            of(op.result_columns(), "result columns: a staged store takes 64 at a time"));
    require(!op.quad_store || !op.staged_store, "results are staged or exchanged in quads, not both");
    require(!op.quad_store || op.result_columns() % quad_columns == 0,
            of(op.result_columns(), "result columns: a quad stores 32 of a row"));
}

// Blocks that split K.
void check_cluster(const TileOp &op) {
    require(op.splits == 1 || op.splits == 2 || op.splits == 4 || op.splits == 8,
            of(op.splits, "blocks split K: a cluster has 1, 2, 4 or 8"));
    if (op.splits == 1) return;
    require(op.K, "K is split where its length is known");
    require(op.unit == Unit::wgmma, "K is split by clusters, which mma runs without");
    require(!op.gathered, "K is not split where rows are gathered");
    require(!op.order.resident, "K is not split by blocks that stay");
    require(op.splits <= op.steps(), of(op.splits, "blocks split K, which has ") + of(op.steps(), "steps"));
    require(op.columns % (8 * op.products * op.splits) == 0,
            of(op.columns, "columns: eights for each product of each of ") + of(op.splits, "blocks"));
}

// Nobody but the consumers.
void check_mma(const TileOp &op) {
    require(!op.producer_threads && !op.producer_registers && !op.consumer_registers,
            "mma has no producers and moves no registers");
    require(!op.staged_store, "mma has no staged store");
    int at_once = copied_rows(op.consumers());
    require(op.rows() % at_once == 0 && op.product_columns() % at_once == 0,
            of(op.product_columns(), "columns of a product: the block copies ") +
                of(at_once, "rows of an operand at a time"));
}

void check_roles(const TileOp &op) {
    if (op.unit == Unit::mma) return check_mma(op);
    require(op.producer_threads == 32 || op.producer_threads == warpgroup_threads,
            of(op.producer_threads, "producer threads: a warp or a warpgroup"));
    require(op.threads() <= 1024, of(op.threads(), "threads: at most 1024"));
    bool whole_warpgroup = op.producer_threads == warpgroup_threads;
    require(!op.gathered || whole_warpgroup, "gathered rows need a warpgroup of producers");
    bool moves = op.producer_registers || op.consumer_registers;
    require(!moves || whole_warpgroup, "only a whole warpgroup can give registers away");
    for (int r : {op.producer_registers, op.consumer_registers})
        require(!moves || (r >= 24 && r <= 256 && r % 8 == 0),
                of(r, "registers after the roles part: 24 to 256, in eights"));
}

void check_resources(const TileOp &op) {
    constexpr int beside_accumulators = 24; // addresses, ring state and the temporaries of an epilogue
    constexpr int beside_instruction = 26;  // what ptxas wants for a wgmma besides, at entry already
    int blocks = op.blocks_per_multiprocessor;
    require(blocks >= 1, "at least one block on a multiprocessor");
    int at_entry = std::min(op.registers_at_entry(), 255),
        consumer = op.consumer_registers ? op.consumer_registers : at_entry;
    require(op.accumulators() + beside_accumulators <= consumer,
            of(op.accumulators(), "accumulators do not fit in ") + of(consumer, "registers"));
    require(op.unit == Unit::mma || op.columns / 2 + beside_instruction <= at_entry,
            of(op.columns / 2, "accumulators of an instruction do not fit in ") +
                of(at_entry, "registers at entry"));
    int after = op.producer_registers * op.producer_threads + op.consumer_registers * op.consumers();
    int before = op.registers_at_entry() * op.threads();
    require(after <= before,
            of(after, "registers after the roles part: the block has " + std::to_string(before)));
    require(op.stages >= 2 && op.stages <= SharedLayout::most_stages,
            of(op.stages, "stages: 2 to " + std::to_string(SharedLayout::most_stages)));
    constexpr int reserved = 1024; // of each block, by the driver
    int bytes = SharedLayout(op).launch_bytes();
    int most = op.unit == Unit::mma ? shared_bytes_everywhere : most_shared_bytes;
    require((bytes + reserved) * blocks <= most + reserved,
            of(bytes, "bytes of shared memory: a multiprocessor has " + std::to_string(most)));
}

} // namespace

void check(const TileOp &op) {
    check_cluster(op);
    check_shape(op);
    check_roles(op);
    check_resources(op);
    const TileOrder &order = op.order;
    require(order.group >= 0 && order.resident >= 0, "a tile order has no negative sizes");
}

} // namespace ks::tile
