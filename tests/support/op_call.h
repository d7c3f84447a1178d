// SPDX-License-Identifier: Apache-2.0
// One call of an op's kernel, compiled in this process, with operands that are hard to overrun unseen: each
// ends at an unmapped page, has guard bytes in front and between its rows, and inputs must come back
// unchanged.
#pragma once
#include "autotune/cases/values.h"
#include "schedules/registry.h"
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ks::test {

class OpCall {
  public:
    // `dims`: the value of every dimension. With `fixed` the kernel is specialised for all widths among them.
    // Kernels are compiled once per process. Throws ks::Error as compile() does.
    OpCall(const std::string &op, const std::map<std::string, std::string> &choices, const Dims &dims,
           const std::string &isa, bool fixed);
    OpCall(OpCall &&) noexcept;
    ~OpCall();

    // Values of an input or in-place operand, dense and row-major; rounded to its storage.
    void set(const std::string &operand, const std::vector<double> &values);
    void set_integer(const std::string &scalar, int value) { integers_[scalar] = value; }
    void set_real(const std::string &scalar, float value) { reals_[scalar] = value; }

    // Runs the kernel; a message for every broken guard, empty when all is well.
    std::string run();

    std::vector<double> get(const std::string &operand) const;
    std::vector<int> get_integers(const std::string &operand) const;
    size_t size(const std::string &operand) const; // elements

  private:
    struct Memory;
    const Op &op_;
    Spec spec_;
    std::string isa_;
    std::map<std::string, std::unique_ptr<Memory>> memory_;
    std::map<std::string, int> integers_;
    std::map<std::string, float> reals_;
};

using cases::normal;
using cases::stored;

// max |got - wanted| / max |wanted|, infinity when one is NaN and the other is not.
double error_of(const std::vector<double> &got, const std::vector<double> &wanted);

std::vector<std::string> isas(); // those of this CPU

} // namespace ks::test
