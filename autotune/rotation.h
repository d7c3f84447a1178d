// SPDX-License-Identifier: Apache-2.0
// What a timed call finds in the caches: whether calls take turns with copies of their operands, and how
// many.
#pragma once
#include "autotune/cases/call.h"
#include "autotune/device.h"

namespace ks::tune {

// warm: every call has the same operands. cold: what it reads has left the caches since it was last read.
enum class Caches { warm, cold };

// The weights of a product.
struct Weights {
    double bytes = 0; // of one copy; 0: the op has none
    int copies = 1;   // that calls take turns with, so that a few rows find them in no near cache, as in a
                      // model; 1 where the rows use them often enough
};
Weights weights_of(const Spec &spec, const Dims &shape);

// What decides between candidates: as in a model, a few rows find their weights cold, all else is warm.
Caches deciding(const Spec &spec, const Dims &shape);

// Cold: copies of the weights where those decide, else of every operand, twice the last cache in all (at most
// 256 MiB). `bytes`: of one call. In memory without guards, as a model has it: where the unused lanes of a
// vector meet a forbidden page, some processors take a hundred times longer.
cases::Copies copies_for(Caches caches, const Spec &spec, const Dims &shape, size_t bytes, Device &device);

const char *name_of(Caches caches);
Caches caches_named(const std::string &name); // throws ks::Error

} // namespace ks::tune
