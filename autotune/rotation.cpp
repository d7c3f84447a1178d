// SPDX-License-Identifier: Apache-2.0
#include "autotune/rotation.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks::tune {

double weight_bytes(const Spec &spec) {
    double halves = spec.choices.count("halves") ? std::stod(spec.choice("halves")) : 1;
    double element = spec.choice("weight") == "f32" ? 4 : 2;
    return static_cast<double>(spec.fixed.at("P") * spec.fixed.at("K")) * std::stod(spec.choice("panel")) *
           halves * element;
}

int weight_copies(const Spec &spec, const Dims &shape) {
    for (const char *rows : {"M", "R"}) {
        auto at = shape.find(rows);
        if (at == shape.end() || at->second > 16 || !spec.choices.count("weight")) continue;
        return static_cast<int>(std::clamp(96e6 / weight_bytes(spec), 1.0, 64.0));
    }
    return 1;
}

Caches deciding(const Spec &spec, const Dims &shape) {
    return weight_copies(spec, shape) > 1 ? Caches::cold : Caches::warm;
}

cases::Copies copies_for(Caches caches, const Spec &spec, const Dims &shape, size_t bytes, Device &device) {
    if (caches == Caches::warm) return {};
    if (int weights = weight_copies(spec, shape); weights > 1) return {weights, 1};
    auto copies =
        static_cast<int>(std::min<size_t>(2 * device.cache_bytes() / std::max<size_t>(bytes, 1), 20000)) + 1;
    return {copies, copies};
}

const char *name_of(Caches caches) { return caches == Caches::warm ? "warm" : "cold"; }

Caches caches_named(const std::string &name) {
    for (Caches c : {Caches::warm, Caches::cold})
        if (name == name_of(c)) return c;
    throw Error("caches " + name, "are neither warm nor cold");
}

} // namespace ks::tune
