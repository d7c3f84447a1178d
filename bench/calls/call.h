// SPDX-License-Identifier: Apache-2.0
// What calls.h files have in common: one op with operands of its own, and the work that no kernel can avoid.
#pragma once
#include "kingsnake/kingsnake.h"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ks::bench {

// Counted in what the FMA unit does: a product, a sum or both fused are two flops.
struct Work {
    double flops = 0;
    double exps = 0;    // exponentials and logarithms
    double bytes = 0;   // each operand once
    bool pairs = false; // flops are dot products of bf16 pairs
    bool cold = false;  // weights come from memory: calls take turns with more copies than the caches hold
};

// run(i) calls the op once; i picks the copy of the weights.
struct Call {
    std::function<void(int)> run;
    Work work;
};

using Library = std::unique_ptr<ks_library, void (*)(ks_library *)>;
Library open_library(const std::string &isa); // of one thread; throws ks::Error
// What tables show: the best instruction set of this CPU, then AVX2 where that is another one. Throws
// ks::Error.
std::vector<std::string> shown_isas();

} // namespace ks::bench
