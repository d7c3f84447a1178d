// SPDX-License-Identifier: Apache-2.0
// Questions to Halide's IR.
#pragma once
#include "Halide.h"
#include <set>
#include <string>
#include <vector>

namespace ks::lower {

std::set<std::string> allocations_in(const Halide::Internal::Stmt &code);
std::set<std::string> loops_in(const Halide::Internal::Stmt &code);
std::set<std::string> stored_in(const Halide::Internal::Stmt &code); // buffers and allocations
std::set<std::string> variables_in(const Halide::Expr &e);
Halide::Expr first_lane(const Halide::Expr &index); // of a dense vector, or the scalar itself

// Every load, one before those in its index; they live as long as `e`.
std::vector<const Halide::Internal::Load *> loads_in(const Halide::Expr &e);

// Flat indices of the stores to a buffer, in order; of the first lane of a dense vector.
std::vector<Halide::Expr> stores_to(const std::string &buffer, const Halide::Internal::Stmt &code);

} // namespace ks::lower
