// SPDX-License-Identifier: Apache-2.0
// The operands of a Recurrence: which Funcs and buffers its terms read, sorted by what they depend on, so
// that an execution can stage each kind in its own place.
#pragma once
#include "dsl/recurrence/recurrence.h"

namespace ks {

// Every Func that `e` calls is replaced by its definition; throws ks::Error for one with updates.
Halide::Expr inlined(const Halide::Expr &e, const std::string &but = ""); // calls of Func `but` stay
// Every call of the Func `name` is replaced by `value`.
Halide::Expr with_call(const Halide::Expr &e, const std::string &name, const Halide::Expr &value);

class OperandsOfTerms {
  public:
    enum Kind {
        held,      // of channel, of state, or of both: the same at every step
        per_step,  // of channel and time
        per_weight // of state and time
    };
    // Throws ks::Error for an operand that depends on channel, state and time at once.
    explicit OperandsOfTerms(const Recurrence &r);

    // What is read, in terms of r.channel, r.time, r.outer and state(); each once.
    const std::vector<Halide::Expr> &of(Kind kind) const { return loads_[kind]; }
    const Halide::Var &state() const { return state_; }

    // The terms with every operand replaced by what `staged` says for (kind, index in of(kind)).
    using Staged = std::function<Halide::Expr(Kind, int)>;
    Halide::Expr decay(const Staged &staged) const { return with(decay_, staged); }
    Halide::Expr input(const Staged &staged) const { return with(input_, staged); }
    Halide::Expr read(const Staged &staged) const { return with(read_, staged); }
    // Index of the per_weight operand that the read-out is; throws ks::Error when it is anything else.
    int read_weight() const;
    bool reads(Kind kind, const Halide::Expr &term) const;
    bool decay_reads(Kind kind) const { return reads(kind, decay_); }
    bool input_reads(Kind kind) const { return reads(kind, input_); }

  private:
    friend class FindOperands;
    Halide::Expr with(const Halide::Expr &term, const Staged &staged) const;

    Halide::Var state_{"state_index"};
    Recurrence recurrence_;
    Halide::Expr decay_, input_, read_;
    std::vector<Halide::Expr> loads_[3];
};

} // namespace ks
