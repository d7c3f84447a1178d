// SPDX-License-Identifier: Apache-2.0
// A choice that all threads of a launch make alike, such as whether there is a bias: code that is written
// once for each answer does not load, at the end of a tile, what it then leaves out.
#pragma once
#include "Halide.h"
#include <functional>

namespace ks::tile {

// The condition of a select in `code` that depends neither on what `code` itself defines nor on anything that
// `varies`; undefined when there is none. Of several the first.
Halide::Expr uniform_condition(const Halide::Internal::Stmt &code,
                               const std::function<bool(const Halide::Expr &)> &varies);

// The code with the selects by that condition decided.
Halide::Internal::Stmt with_condition(const Halide::Internal::Stmt &code, const Halide::Expr &condition,
                                      bool holds);

} // namespace ks::tile
