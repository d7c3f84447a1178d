// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/decode.h"
#include "tests/emulator/warp.h"

namespace ks::emulator {

namespace {

void compute(Warp &w, const Instruction &i, uint32_t lanes) {
    Source from[3];
    for (size_t s = 0; s < i.arithmetic->sources; s++) from[s] = w.source(i.operands[s + 1]);
    i.arithmetic->compute(w.to(i.operands[0]), from, lanes);
}

uint64_t low(uint64_t bits, size_t width) { return width == 64 ? bits : bits & ((uint64_t{1} << width) - 1); }

// mov.b64 %rd, {%r1, %r2}
void pack(Warp &w, const Instruction &i, uint32_t lanes) {
    const auto &parts = i.operands[1].elements;
    const size_t width = 8 * i.bytes / parts.size();
    for_lanes(lanes, [&](unsigned lane) {
        uint64_t all = 0;
        for (size_t p = 0; p < parts.size(); p++) all |= low(w.value(parts[p], lane), width) << p * width;
        w.to(i.operands[0])[lane] = all;
    });
}

// mov.b64 {%r1, %r2}, %rd
void unpack(Warp &w, const Instruction &i, uint32_t lanes) {
    const auto &parts = i.operands[0].elements;
    const size_t width = 8 * i.bytes / parts.size();
    for_lanes(lanes, [&](unsigned lane) {
        uint64_t all = w.value(i.operands[1], lane);
        for (size_t p = 0; p < parts.size(); p++) w.to(parts[p])[lane] = low(all >> p * width, width);
    });
}

bool is(const Operand &o, Operand::Kind kind) { return o.kind == kind; }

bool decode_pack(Instruction &i) {
    if ((i.name != "mov.b32" && i.name != "mov.b64") || i.operands.size() != 2) return false;
    i.bytes = i.name == "mov.b32" ? 4 : 8;
    if (is(i.operands[1], Operand::list))
        i.step = pack;
    else if (is(i.operands[0], Operand::list))
        i.step = unpack;
    return i.step;
}

bool decode_flow(Instruction &i) {
    bool known = true;
    if (i.name == "bra" || i.name == "bra.uni")
        i.flow = Instruction::branch;
    else if (i.name == "ret" || i.name == "exit")
        i.flow = Instruction::leave;
    else if (i.name == "bar.sync" && (i.operands.size() == 1 || i.operands.size() == 2))
        i.flow = Instruction::barrier, i.asynchronous = i.operands.size() == 2;
    else
        known = i.name == "griddepcontrol.wait" || i.name == "griddepcontrol.launch_dependents";
    return known; // the last two do nothing: launches follow each other
}

bool decode_arithmetic(Instruction &i) {
    i.arithmetic = arithmetic(i.name);
    if (!i.arithmetic) return false;
    if (i.operands.size() != i.arithmetic->sources + 1 || !is(i.operands[0], Operand::reg))
        throw Fault("has other operands than the instruction");
    for (const Operand &o : i.operands)
        if (is(o, Operand::list) || is(o, Operand::memory))
            throw Fault("has other operands than the instruction");
    i.step = compute;
    return true;
}

} // namespace

bool decode_known(Instruction &i, const Known *known, size_t count) {
    for (const Known *k = known; k < known + count; k++) {
        if (i.name != k->name) continue;
        bool fits = i.operands.size() == k->operands.size();
        for (size_t o = 0; fits && o < k->operands.size(); o++)
            fits = i.operands[o].elements.size() == k->operands[o];
        if (!fits) throw Fault("has other operands than the instruction");
        i.step = k->step;
        return true;
    }
    return false;
}

bool decode_collective(Instruction &i, const Known *known, size_t count) {
    if (!decode_known(i, known, count)) return false;
    i.flow = Instruction::collective;
    return true;
}

void decode(Instruction &i) {
    for (auto part :
         {decode_flow, decode_pack, decode_arithmetic, decode_access, decode_exchange, decode_matrices,
          decode_copy, decode_bulk, decode_mbarrier, decode_cluster, decode_wgmma})
        if (part(i)) return;
    throw Fault("an instruction that the emulator does not know");
}

} // namespace ks::emulator
