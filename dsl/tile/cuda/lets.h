// SPDX-License-Identifier: Apache-2.0
// Expressions with the values of all lets around them in place: what the proofs of the pass look at. Names
// are unique after lowering, so one table serves a whole kernel.
#pragma once
#include "Halide.h"
#include <map>
#include <string>

namespace ks::tile {

class InlineLets : public Halide::Internal::IRMutator {
  public:
    // Also of an expression, whose names must have been met in a statement before.
    using IRMutator::mutate;
    // Of a name that is defined further out.
    void define(const std::string &name, const Halide::Expr &value) { values_[name] = value; }

  private:
    using IRMutator::visit;
    std::map<std::string, Halide::Expr> values_;

    Halide::Expr visit(const Halide::Internal::Variable *op) override {
        auto known = values_.find(op->name);
        return known == values_.end() ? Halide::Expr(op) : known->second;
    }
    Halide::Expr visit(const Halide::Internal::Let *op) override {
        values_[op->name] = mutate(op->value);
        return mutate(op->body);
    }
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override {
        values_[op->name] = mutate(op->value);
        return mutate(op->body);
    }
};

} // namespace ks::tile
