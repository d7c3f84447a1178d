// SPDX-License-Identifier: Apache-2.0
// One call of any op as plain data: its operands by name, in the layout of its contract, and what its oracle
// makes of them. Whoever calls a kernel (the tuner, the measuring kit, the tests; loaded, compiled in place
// or through the C interface) gives it this.
#pragma once
#include "dsl/contract.h"
#include <map>
#include <string>
#include <vector>

namespace ks::cases {

using Values = std::vector<double>; // dense, row-major, as the operand's storage keeps them

struct Problem {
    const Contract *contract = nullptr;
    std::map<std::string, std::string> choices;
    Dims dims;                        // the contract's
    std::vector<int> seq_start;       // of ops with a ragged axis: [sequences + 1], from 0
    std::map<std::string, Values> in; // inputs, and what in-place operands and outputs hold before the call;
                                      // optional operands that are not there are missing
    int flags = 0;                    // without the bits of optional operands
    double eps = 1e-5;

    // Extents of an operand, outermost first; states of packed sequences have one dimension more.
    std::vector<int64_t> shape(const Operand &o) const;
    size_t count(const Operand &o) const;         // elements
    std::string storage(const Operand &o) const;  // f32, bf16, f16 or i32
    int64_t value(const std::string &name) const; // of a dimension or a numeric choice
    int64_t sequences() const;                    // 1 for ops without a ragged axis
    int present() const;                          // flags and the bits of the optional operands
    std::string text() const;                     // "linear io=f32 ... M=3"
};

bool written(const Operand &o); // output or in place

// Whether an op is given tiles of routed rows, B slots each: inputs [G, B]. Its weights are those of all E
// experts, and of its results it writes what belongs to a slot of a tile in use.
bool takes_tiles(const Contract &contract);

// The dimensions of a call of this kernel: its fixed widths, those in `dynamic`, and what follows from them
// (expert_down: as many rows of y as are written to; ops that take tiles: most_tiles). Throws ks::Error when
// one is missing.
Dims call_dims(const Contract &contract, const Spec &spec, const Dims &dynamic);

// Random operands in the op's domain. `seq_start` is for ops with a ragged axis (empty: one sequence).
// Without `options` optional operands are missing and every flag is off. The contract must outlive the
// problem.
Problem random_problem(const Contract &contract, const std::map<std::string, std::string> &choices,
                       const Dims &dims, bool options = true, const std::vector<int> &seq_start = {});

using Results = std::map<std::string, Values>; // by operand

// What the oracle gives for every written operand, before any rounding to its storage.
Results expected(const Problem &problem);

// The largest error that the contract allows for that operand, absolute.
double allowed_error(const Problem &problem, const Operand &o, const Values &wanted);

} // namespace ks::cases
