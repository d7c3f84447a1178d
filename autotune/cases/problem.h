// SPDX-License-Identifier: Apache-2.0
// One call of an op as the tuner makes it: operands derived from the contract, in guarded memory, with random
// values in the op's own ranges and, on demand, the answer in double precision.
#pragma once
#include "autotune/guard.h"
#include "dsl/contract.h"
#include "runtime/kernels/buffer_abi.h"
#include <memory>
#include <string>
#include <vector>

namespace ks::tune {

using Values = std::vector<double>; // dense, row-major

class Problem {
  public:
    // `dims` has the dynamic dimensions; the widths come from spec.fixed. `copies` of the operand named w let
    // runs rotate over weights that no cache holds. Fills everything with the case's random values.
    Problem(const Contract &contract, const Spec &spec, const Dims &dims, int seed, int copies = 1);

    const Contract &contract() const { return contract_; }
    const Spec &spec() const { return spec_; }
    int64_t dim(const std::string &name) const { return dims_.at(name); } // numeric choices too
    int32_t flags() const { return flags_; }

    const Values &input(const std::string &name) const {
        return inputs_.at(name);
    } // as the storage rounds it
    std::vector<int> integers(const std::string &name) const;

    // Kernel arguments with weight copy `run`; valid until the next call.
    void **arguments(int run);
    // Poisons outputs and puts in-place operands back to what they were.
    void reset();
    Values result(const std::string &name) const; // of an output or in-place operand, after a run
    std::string damage() const;                   // of the guards; empty when all is well

  private:
    friend class Filler;
    struct Memory {
        const Operand *operand;
        std::vector<int64_t> extent; // outermost first
        size_t count = 1, element = 4;
        std::vector<std::unique_ptr<GuardedBuffer>> copies;
        KernelBuffer buffer{};
        std::vector<KernelDim> dims;
    };
    Memory make(const Operand &operand, int copies) const;
    void store(Memory &memory, const Values &values);
    bool half(const Operand &operand) const;

    const Contract &contract_;
    Spec spec_;
    Dims dims_;
    int32_t flags_ = 0;
    std::vector<Memory> memory_; // in contract order
    std::map<std::string, Values> inputs_;
    std::vector<void *> arguments_;
};

// What the op's formula gives in double precision, by operand. Throws ks::Error for an op without a case.
std::map<std::string, Values> expected(const Problem &problem);

bool has_case(const std::string &op);

} // namespace ks::tune
