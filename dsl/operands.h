// SPDX-License-Identifier: Apache-2.0
// From a contract to Halide parameters: one buffer per operand, dimensions innermost first, all starting at 0
// with an innermost stride of 1. Outer strides stay free, so that a caller may pass slices and views.
#pragma once
#include "Halide.h"
#include "dsl/contract.h"
#include "dsl/storage.h"

namespace ks {

class Operands {
  public:
    Operands(const Contract &contract, const Spec &spec); // checks the Spec

    const Contract &contract() const { return contract_; }
    const Spec &spec() const { return spec_; }

    // The buffer of an input, optional or in-place operand.
    Halide::ImageParam buffer(const std::string &name) const;
    Halide::Expr scalar(const std::string &name) const;

    // The value of a width: the constant that the Spec fixes, else the extent of `operand` along it. Along the
    // sliced dimension a call may be one thread's part, so there it is always the extent.
    Halide::Expr width(const std::string &dim, const std::string &operand) const;

    // An element as f32, whatever its storage; indices innermost first.
    Halide::Expr load(const std::string &name, const std::vector<Halide::Expr> &at) const;
    // Whether the caller gave an optional operand.
    Halide::Expr given(const std::string &name) const;
    // load(), or `otherwise` where the operand is not given.
    Halide::Expr load_or(const std::string &name, const std::vector<Halide::Expr> &at,
                         const Halide::Expr &otherwise) const;
    // An element of a bf16 operand as a term of a dot product (storage.h).
    Halide::Expr load_for_dot(const std::string &name, const std::vector<Halide::Expr> &at) const;
    // `value` (f32) as operand `name` stores it.
    Halide::Expr store(const std::string &name, const Halide::Expr &value) const;

    // To be called on every output Func once it is defined.
    void promise(Halide::Func output) const;

    // All kernel arguments that are not outputs: inputs and in-place buffers, then scalars, in contract
    // order.
    std::vector<Halide::Argument> arguments() const;

  private:
    Storage storage(const std::string &type) const;

    const Contract &contract_;
    Spec spec_;
    std::map<std::string, Halide::ImageParam> buffers_;
    std::map<std::string, Halide::Param<int>> integers_;
    std::map<std::string, Halide::Param<float>> reals_;
};

} // namespace ks
