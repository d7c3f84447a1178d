// SPDX-License-Identifier: Apache-2.0
// From a contract to Halide parameters: one buffer per operand, dimensions innermost first, all starting at 0
// with an innermost stride of 1. Outer strides stay free, so that a caller may pass slices and views.
#pragma once
#include "Halide.h"
#include "dsl/contract.h"
#include "dsl/lower/sequence_pass.h"
#include "dsl/storage.h"
#include <memory>

namespace ks {

// Which sequences one call of a kernel serves. An op whose contract has no ragged axis knows no difference.
enum class Batch {
    one,    // the rows and states of one sequence; the runtime calls once for each (CPU)
    packed, // all: rows one after the other, states with an outer dimension, Funcs with a last Var (GPU)
};

class Operands {
  public:
    Operands(const Contract &contract, const Spec &spec, Batch batch = Batch::one); // checks the Spec

    const Contract &contract() const { return contract_; }
    const Spec &spec() const { return spec_; }
    bool packed() const { return packed_; }

    // The arguments of a Func over `vars`: with the sequence behind them when calls are packed.
    std::vector<Halide::Var> point(std::vector<Halide::Var> vars) const;
    // Time steps of the sequence at hand; `operand` has the ragged axis.
    Halide::Expr steps(const std::string &operand) const;
    // A state of the sequence at hand; indices innermost first, as the contract has them.
    Halide::Expr state(const std::string &name, std::vector<Halide::Expr> at) const;
    // What gives a packed kernel its sequences; `output` has the ragged axis. Null when calls are not packed.
    std::shared_ptr<LoweringPass> sequence_pass(const Halide::Func &output, const std::string &operand) const;

    // The buffer of an input, optional or in-place operand.
    Halide::ImageParam buffer(const std::string &name) const;
    Halide::Expr scalar(const std::string &name) const;

    // The value of a width: the constant that the Spec fixes, else the extent of `operand` along it. Along
    // the sliced dimension a call may be one thread's part, so there it is always the extent.
    Halide::Expr width(const std::string &dim, const std::string &operand) const;

    // An element as f32, whatever its storage; indices innermost first.
    Halide::Expr load(const std::string &name, const std::vector<Halide::Expr> &at) const;
    // Whether the caller gave an optional operand.
    Halide::Expr given(const std::string &name) const;
    // The buffer of an output that assign() writes, and no Func: several of different shapes in one loop
    // nest. It is an argument from then on; outputs of Funcs come after it in the contract.
    Halide::ImageParam assigned(const std::string &output);
    // load(), or `otherwise` where the operand is not given.
    Halide::Expr load_or(const std::string &name, const std::vector<Halide::Expr> &at,
                         const Halide::Expr &otherwise) const;
    // An element of a bf16 operand as a term of a dot product (storage.h).
    Halide::Expr load_for_dot(const std::string &name, const std::vector<Halide::Expr> &at) const;
    // `value` (f32) as operand `name` stores it. After convert_by_call() 16 bits are made by the
    // pseudo-call of PackPass, which becomes the instruction for pairs.
    void convert_by_call() { by_call_ = true; }
    Halide::Expr store(const std::string &name, const Halide::Expr &value) const;

    // Packed: whether every address and every row stride of the call is a multiple of `bytes`, up to 16. The
    // caller finds out (the argument `alignment`); for Func::specialize().
    Halide::Expr aligned(int bytes) const { return alignment_ >= bytes; }

    // Packed: whether all sequences are known to have as many steps; for Func::specialize().
    Halide::Expr equally_long() const { return equal_steps_ != 0; }

    // To be called on every output Func once it is defined.
    void promise(Halide::Func output) const;

    // All kernel arguments that are no output of a Func: inputs and in-place buffers, then scalars, in
    // contract order, last the assigned outputs. Packed: seq_start (int64 offsets) behind the buffers, and
    // behind the scalars equal_steps (when it is not 0, all sequences have as many steps and seq_start is not
    // read) and alignment (bytes).
    std::vector<Halide::Argument> arguments() const;

  private:
    Storage storage(const std::string &type) const;
    std::vector<std::string> shape(const std::string &operand) const; // outermost first
    int ragged_dimension(const std::string &operand) const; // innermost first; -1: it has no ragged axis
    Halide::Expr of_sequence(const char *call) const;       // a pseudo-call of SequencePass

    const Contract &contract_;
    Spec spec_;
    bool packed_, by_call_ = false;
    Halide::Var sequence_{"sequence"};
    Halide::ImageParam seq_start_{Halide::Int(64), 1, "seq_start"};
    Halide::Param<int> equal_steps_{"equal_steps"}, alignment_{"alignment"};
    std::map<std::string, Halide::ImageParam> buffers_;
    std::vector<Halide::ImageParam> assigned_;
    std::map<std::string, Halide::Param<int>> integers_;
    std::map<std::string, Halide::Param<float>> reals_;
};

} // namespace ks
