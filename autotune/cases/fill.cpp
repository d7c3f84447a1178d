// SPDX-License-Identifier: Apache-2.0
#include "autotune/cases/fill.h"
#include "generators/causal_conv1d.h"
#include "generators/selective_scan.h"
#include <algorithm>
#include <cmath>

namespace ks::tune {

namespace {

// xorshift with a Box-Muller transform: the same numbers everywhere.
class Random {
  public:
    explicit Random(int seed) : state_(static_cast<uint64_t>(seed) * 0x9E3779B97F4A7C15ull + 0x1234567) {}
    double uniform() { // (0, 1)
        state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
        return (static_cast<double>(state_ >> 11) + 0.5) * 0x1p-53;
    }
    double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * M_PI * uniform()); }

  private:
    uint64_t state_;
};

// -(n + 1) log2(e) with a little spread, [N][D]: what S4D-real initialisation gives the decay.
Values decays(const Dims &dims, size_t count, Random &random) {
    Values v(count);
    auto D = static_cast<size_t>(dims.at("D"));
    for (size_t i = 0; i < count; i++)
        v[i] = -static_cast<double>(i / D + 1) * M_LOG2E * (1 + 0.05 * random.normal());
    return v;
}

// Rows of an expert: distinct, not in order.
Values rows(const Dims &dims, size_t count) {
    Values v(count);
    auto T = static_cast<size_t>(dims.at("T"));
    for (size_t i = 0; i < count; i++) v[i] = static_cast<double>(T - 1 - i);
    return v;
}

} // namespace

void complete_dims(const std::string &op, Dims &dims) {
    if (op == "expert_down" && !dims.count("T") && dims.count("R")) dims["T"] = dims["R"];
}

Values fill_operand(const std::string &op, const std::string &operand, const Dims &dims, size_t count,
                    int seed) {
    Random random(seed);
    bool scan = op.rfind("selective_", 0) == 0;
    if (scan && operand == "A") return decays(dims, count, random);
    if (operand == "rows") return rows(dims, count);
    double scale = 1, offset = 0;
    if (scan && operand == "dt")
        scale = 1.2, offset = -4.6; // softplus of it: 1e-3 to 1e-1
    else if (scan && operand == "dt_bias")
        scale = 0.1;
    else if (operand == "w")
        scale = 1 / std::sqrt(static_cast<double>(dims.at("K")));
    Values v(count);
    for (double &x : v) x = offset + scale * random.normal();
    return v;
}

int32_t fixed_flags(const std::string &op) {
    if (op.rfind("selective_", 0) == 0) return scan_softplus;
    if (op.rfind("causal_conv1d", 0) == 0) return conv_silu;
    return 0;
}

} // namespace ks::tune
