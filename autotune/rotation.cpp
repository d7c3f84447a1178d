// SPDX-License-Identifier: Apache-2.0
#include "autotune/rotation.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks::tune {

namespace {

// A core is seldom served by more of the last cache than half of this, whatever the system says it has.
constexpr size_t most_cold_bytes = size_t{256} << 20, most_copies = 20000;

// Rows of a call whose time reading the weights decides, on a GPU more than on a CPU.
constexpr int64_t few_rows = 64;
constexpr double cold_weights = 96e6, most_weights = 64; // bytes and copies in all

double bytes_of(const Spec &spec) {
    double halves = spec.choices.count("halves") ? std::stod(spec.choice("halves")) : 1;
    double element = spec.choice("weight") == "f32" ? 4 : 2, columns = 1;
    for (const char *dim : {"E", "P", "F", "N"})
        if (auto at = spec.fixed.find(dim); at != spec.fixed.end())
            columns *= static_cast<double>(at->second);
    if (spec.choices.count("panel")) columns *= std::stod(spec.choice("panel"));
    return columns * static_cast<double>(spec.fixed.at("K")) * halves * element;
}

} // namespace

Weights weights_of(const Spec &spec, const Dims &shape) {
    if (!spec.choices.count("weight")) return {};
    Weights w{bytes_of(spec), 1};
    const char *rows = spec.fixed.count("E") ? "T" : shape.count("M") ? "M" : "R";
    if (auto at = shape.find(rows); at != shape.end() && at->second <= few_rows)
        w.copies = static_cast<int>(std::clamp(cold_weights / w.bytes, 1.0, most_weights));
    return w;
}

Caches deciding(const Spec &spec, const Dims &shape) {
    return weights_of(spec, shape).copies > 1 ? Caches::cold : Caches::warm;
}

cases::Copies copies_for(Caches caches, const Spec &spec, const Dims &shape, size_t bytes, Device &device) {
    if (caches == Caches::warm) return {1, 1, false};
    if (Weights w = weights_of(spec, shape); w.copies > 1) return {w.copies, 1, false};
    size_t total = std::min(2 * device.cache_bytes(), most_cold_bytes);
    auto copies = static_cast<int>(std::min(total / std::max<size_t>(bytes, 1), most_copies)) + 1;
    return {copies, copies, false};
}

const char *name_of(Caches caches) { return caches == Caches::warm ? "warm" : "cold"; }

Caches caches_named(const std::string &name) {
    for (Caches c : {Caches::warm, Caches::cold})
        if (name == name_of(c)) return c;
    throw Error("caches " + name, "are neither warm nor cold");
}

} // namespace ks::tune
