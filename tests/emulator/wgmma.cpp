// SPDX-License-Identifier: Apache-2.0
// Products of a warpgroup (wgmma): 64 rows of A times N columns of W, both in shared memory, rows of K with a
// 128-byte swizzle. Each warp computes its 16 rows when it asks for them; that nobody touches operands or
// results before they have been waited for, the clocks and the registers see to.
#include "tests/emulator/decode.h"
#include "tests/emulator/tensor_map.h"
#include "tests/emulator/warp.h"
#include <cstring>
#include <memory>

namespace ks::emulator {

namespace {

constexpr unsigned depth = 16, row_bytes = 128, rows_of_warp = 16;
constexpr int warps_of_group = 4;

// A matrix descriptor (PTX ISA, "Matrix descriptor").
struct Descriptor {
    uint64_t start, stride; // of the rows in groups of 8

    explicit Descriptor(uint64_t bits) : start((bits & 0x3fff) << 4), stride((bits >> 32 & 0x3fff) << 4) {
        if (bits >> 62 != 1) throw Fault("a matrix without the swizzle of 128 bytes");
        if (bits >> 49 & 7 || start >> 7 & 7)
            throw Fault("a matrix at no multiple of 1024 bytes, where its swizzle begins");
        if (start % row_bytes + depth * 2 > row_bytes) throw Fault("a step of K that leaves a swizzled row");
    }
    uint64_t row(unsigned r) const { return start + r / 8 * stride + r % 8 * row_bytes; }
};

using Value = float (*)(uint16_t);

// 16 elements of K of a row.
template <Value value>
void read_row(Warp &w, const Descriptor &d, unsigned row, const Actor &by, float (&to)[depth]) {
    for (unsigned half = 0; half < 2; half++) {
        uint16_t chunk[depth / 2];
        w.shared().load(swizzled(d.row(row) + half * sizeof chunk), chunk, sizeof chunk, by);
        for (unsigned k = 0; k < depth / 2; k++) to[half * depth / 2 + k] = value(chunk[k]);
    }
}

uint64_t uniform(const Warp &w, const Operand &o) {
    const Source s = w.source(o);
    for (unsigned lane = 1; lane < 32; lane++)
        if (s[lane] != s[0]) throw Fault("lanes of a warp that ask for different products");
    return s[0];
}

// What the warps of a group ask for must be the same.
void note(Warp &w, const Instruction &i, uint64_t a, uint64_t b) {
    const int warpgroup = w.number() / warps_of_group;
    if (128 * (warpgroup + 1) > w.block().threads) throw Fault("a product by a part of a warpgroup");
    auto &asked = w.block().products.at(static_cast<size_t>(warpgroup)).asked;
    const std::pair<int, std::pair<uint64_t, uint64_t>> now{i.line, {a, b}};
    if (w.products_asked == asked.size()) asked.push_back(now);
    if (asked[w.products_asked++] != now) throw Fault("warps of a group that ask for different products");
}

// {d}, a, w, whether to add to d, 1, 1, 0, 0
template <Value value>
void multiply(Warp &w, const Instruction &i, uint32_t lanes) {
    if (lanes != ~0u) throw Fault("a product by a part of a warp");
    const auto &d = i.operands[0].elements;
    const uint64_t a_bits = uniform(w, i.operands[1]), w_bits = uniform(w, i.operands[2]),
                   adds = uniform(w, i.operands[3]) != 0;
    const Descriptor of_a(a_bits), of_w(w_bits);
    note(w, i, a_bits, w_bits);
    Clocks &clocks = w.block().clocks;
    const uint32_t group = w.products.committed + 1;
    const Actor by = clocks.asynchronous(w.thread(0), 32, {clocks.products_of(w.number()), group});
    w.registers().begin_product(d, group);
    w.products.add();
    const unsigned columns = static_cast<unsigned>(d.size()) * 2;
    const unsigned first = static_cast<unsigned>(w.number() % warps_of_group) * rows_of_warp;
    float a[rows_of_warp][depth], b[depth];
    for (unsigned r = 0; r < rows_of_warp; r++) read_row<value>(w, of_a, first + r, by, a[r]);
    for (unsigned n = 0; n < columns; n++) {
        read_row<value>(w, of_w, n, by, b);
        for (unsigned r = 0; r < rows_of_warp; r++) {
            uint64_t &to = w.registers().accumulator(d[n / 8 * 4 + r / 8 * 2 + n % 2])[r % 8 * 4 + n % 8 / 2];
            double sum = adds ? value_of<float>(to) : 0;
            for (unsigned k = 0; k < depth; k++) sum += double{a[r][k]} * b[k];
            to = bits_of(static_cast<float>(sum));
        }
    }
}

void fence(Warp &w, const Instruction &, uint32_t) { w.registers().fence(); }
void commit(Warp &w, const Instruction &, uint32_t) { w.products.commit(); }

void wait_for_groups(Warp &w, const Instruction &i, uint32_t lanes) {
    w.products.wait(w.value(i.operands[0], 0));
    w.registers().end_products(w.products.done);
    Clocks &clocks = w.block().clocks;
    for_lanes(lanes, [&](unsigned lane) {
        clocks.learn(w.thread(lane), {clocks.products_of(w.number()), w.products.done});
    });
}

// Registers move; here there are enough.
void move_registers(Warp &, const Instruction &, uint32_t) {}

const Known known[] = {
    {"wgmma.fence.sync.aligned", fence, {}},
    {"wgmma.commit_group.sync.aligned", commit, {}},
    {"wgmma.wait_group.sync.aligned", wait_for_groups, {0}},
    {"setmaxnreg.inc.sync.aligned.u32", move_registers, {0}},
    {"setmaxnreg.dec.sync.aligned.u32", move_registers, {0}},
};

// wgmma.mma_async.sync.aligned.m64n<columns>k16.f32.<type>.<type>
bool decode_product(Instruction &i) {
    const std::string begin = "wgmma.mma_async.sync.aligned.m64n";
    if (i.name.rfind(begin, 0) != 0) return false;
    const size_t columns = std::stoull(i.name.substr(begin.size()));
    const std::string type = i.name.substr(i.name.find_last_of('.'));
    if (i.name != begin + std::to_string(columns) + "k16.f32" + type + type || columns % 8 || columns < 8 ||
        columns > 256)
        return false;
    const auto &o = i.operands;
    const uint64_t wanted[] = {1, 1, 0, 0}; // signs, and operands not transposed
    bool fits = o.size() == 8 && o[0].elements.size() == columns / 2;
    for (size_t n = 4; fits && n < 8; n++) fits = o[n].kind == Operand::number && o[n].value == wanted[n - 4];
    if (!fits) throw Fault("has other operands than are known");
    i.step = type == ".bf16" ? multiply<from_bf16> : type == ".f16" ? multiply<from_f16> : nullptr;
    i.flow = Instruction::collective;
    return i.step;
}

} // namespace

bool decode_wgmma(Instruction &i) {
    return (decode_collective(i, known, std::size(known)) || decode_product(i)) && (i.asynchronous = true);
}

} // namespace ks::emulator
