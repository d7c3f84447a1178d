// SPDX-License-Identifier: Apache-2.0
// The CPU that this process runs on.
#pragma once
#include <string>
#include <vector>

namespace ks {

// "avx2" (with FMA and F16C), "avx512" (F, BW, DQ, VL, CD) or "avx512_bf16" (with the dot product of bf16
// pairs).
bool cpu_has(const std::string &isa);
// Whether a library for `isa` takes kernels made for `kernel_isa`: its own, and those of AVX-512 without
// bf16.
bool isa_runs(const std::string &isa, const std::string &kernel_isa);
// The three, least first.
const std::vector<std::string> &all_isas();
// Those and "cuda": all that packs have kernels for.
const std::vector<std::string> &all_targets();
std::string best_isa(); // the last of the three that this CPU has, or "" for none
std::string cpu_name(); // "AMD EPYC, 2 cores": model name and cores that this process may use

} // namespace ks
