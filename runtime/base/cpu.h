// SPDX-License-Identifier: Apache-2.0
// The CPU that this process runs on.
#pragma once
#include <string>

namespace ks {

bool cpu_has(const std::string &isa); // "avx2" (with FMA and F16C) or "avx512" (F, BW, DQ, VL, CD)
std::string best_isa();               // the better of the two, or "" for neither
std::string cpu_name();               // "AMD EPYC, 2 cores": model name and cores that this process may use

} // namespace ks
