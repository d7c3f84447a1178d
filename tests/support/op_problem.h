// SPDX-License-Identifier: Apache-2.0
// One call of any op as plain data: its operands by name, in the layout of its contract, and what its oracle
// makes of them. However a kernel is reached (compiled here, or through the C interface), it is given this.
#pragma once
#include "dsl/contract.h"
#include <map>
#include <string>
#include <vector>

namespace ks::test {

using Values = std::vector<double>; // dense, row-major, as the operand's storage keeps them

struct OpProblem {
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

// Random operands in the op's domain. `seq_start` is for ops with a ragged axis (empty: one sequence).
// Without `options` optional operands are missing and every flag is off.
OpProblem random_problem(const std::string &op, const std::map<std::string, std::string> &choices,
                         const Dims &dims, bool options = true, const std::vector<int> &seq_start = {});

// What the oracle gives for every written operand, before any rounding to its storage.
std::map<std::string, Values> expected(const OpProblem &problem);

// The largest error that the contract allows for that operand, absolute.
double allowed_error(const OpProblem &problem, const Operand &o, const Values &wanted);

} // namespace ks::test
