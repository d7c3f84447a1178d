// SPDX-License-Identifier: Apache-2.0
#include "bench/calls/call.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include "runtime/model/ops.h"

namespace ks::bench {

Library open_library(const std::string &isa) {
    ks_create_args create{sizeof create, 1, isa.c_str(), 0};
    ks_library *library = nullptr;
    model::check(ks_create(&create, &library));
    return {library, ks_destroy};
}

std::vector<std::string> shown_isas() {
    std::string best = best_isa();
    if (best.empty()) throw Error("this CPU", "has neither AVX-512 nor AVX2: nothing can be measured");
    if (best == "avx2") return {best};
    return {best, "avx2"};
}

} // namespace ks::bench
