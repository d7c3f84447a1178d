// SPDX-License-Identifier: Apache-2.0
// Rounding by scaling with the spacing of the target format and rounding to the nearest even integer.
#include "tests/oracles/rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ks::oracle {
namespace {

// fraction_bits without the hidden one; min_exponent of the smallest normal; largest finite value.
double to_format(double v, int fraction_bits, int min_exponent, double largest) {
    const double f = static_cast<double>(static_cast<float>(v));
    if (f == 0 || !std::isfinite(f)) return f;
    const int exponent = std::max(std::ilogb(f), min_exponent);
    const int spacing = exponent - fraction_bits; // log2 of the distance between neighbours
    const double r = std::ldexp(std::nearbyint(std::ldexp(f, -spacing)), spacing);
    if (std::fabs(r) > largest) return std::copysign(std::numeric_limits<double>::infinity(), f);
    return r;
}

} // namespace

double to_bf16(double v) { return to_format(v, 7, -126, std::ldexp(255.0, 120)); }
double to_f16(double v) { return to_format(v, 10, -14, 65504.0); }

double rounded(double v, Rounding to) {
    switch (to) {
    case Rounding::bf16:
        return to_bf16(v);
    case Rounding::f16:
        return to_f16(v);
    default:
        return v;
    }
}

std::vector<double> rounded(std::vector<double> v, Rounding to) {
    if (to != Rounding::none)
        for (double &x : v) x = rounded(x, to);
    return v;
}

} // namespace ks::oracle
