// SPDX-License-Identifier: Apache-2.0
// The kernels of a PTX text as instructions: names looked up, operands resolved to registers and numbers.
#pragma once
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace ks::emulator {

// What is wrong with a text or with what a kernel does.
struct Fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Operand {
    enum Kind { none, reg, number, special, memory, list } kind = none;
    int index = -1;                // of the register, or of a special one; memory: -1 where `value` is all
    uint64_t value = 0;            // bits of a number; bytes to add to an address
    std::vector<Operand> elements; // of a list {a, b}; memory: coordinates behind the address
};

// Special registers by index: the three of each are x, y and z.
enum Special { tid = 0, ntid = 3, ctaid = 6, nctaid = 9, laneid = 12, cluster_ctarank = 13, specials = 14 };

class Warp;
struct Instruction;
using Step = void (*)(Warp &, const Instruction &, uint32_t lanes);

struct Instruction {
    std::string name, text; // "add.s32", and all of it
    int line = 0;
    int guard = -1; // predicate register
    bool guard_negated = false;
    std::vector<Operand> operands;
    int target = -1; // of a branch
    // Set by decode(), decode.h.
    enum Flow { next, branch, leave, barrier, collective } flow = next;
    bool asynchronous = false; // as that of Kernel
    Step step = nullptr;
    const struct Arithmetic *arithmetic = nullptr;
    size_t bytes = 0, vector = 1; // of an element and elements, of accesses to memory
};

// Where parameters lie among all addresses (cvta.param).
constexpr uint64_t parameter_window = uint64_t{1} << 60;

struct Parameter {
    size_t offset, bytes;
};

struct Kernel {
    std::string name;
    std::vector<Parameter> parameters;
    size_t parameter_bytes = 0, shared_bytes = 0; // shared: of declared variables
    int registers = 0;
    unsigned most_threads = 1024, cluster = 1; // of a block, and blocks, along x
    bool asynchronous = false;                 // threads meet otherwise than at barriers of all of them
    std::vector<Instruction> code;
};

// All kernels of a text by name. Throws Fault with the line of what is not known.
std::map<std::string, Kernel> parse(const std::string &ptx);

} // namespace ks::emulator
