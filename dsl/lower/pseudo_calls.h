// SPDX-License-Identifier: Apache-2.0
// Shared by the passes that lower ks_carry and ks_touch: resolving what a pseudo-call refers to, and
// prefetches.
#pragma once
#include "Halide.h"
#include <string>
#include <utility>
#include <vector>

namespace ks::lower {

// Let statements around the place being rewritten, outermost first: Halide moves common subexpressions there.
using Lets = std::vector<std::pair<std::string, Halide::Expr>>;
Halide::Expr resolve(const Lets &lets, Halide::Expr e);

// The load behind `e`; throws ks::Error(pass, cause) when it is something else.
const Halide::Internal::Load *load_behind(const Lets &lets, Halide::Expr &e, const char *pass,
                                          const char *cause);

// A prefetch for every (load, offset) pair of a ks_touch.
std::vector<Halide::Internal::Stmt> prefetches(const Lets &lets, const Halide::Internal::Call *touch);

} // namespace ks::lower
