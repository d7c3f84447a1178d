// SPDX-License-Identifier: Apache-2.0
#include "schedules/space.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks {

const std::string &Knobs::operator[](const std::string &name) const {
    auto found = values_.find(name);
    if (found == values_.end()) throw Error("knob " + name, "has no value in " + text());
    return found->second;
}

int Knobs::integer(const std::string &name) const {
    const std::string &value = (*this)[name];
    try {
        return std::stoi(value);
    } catch (const std::exception &) {
        throw Error("knob " + name, value + " is not an integer");
    }
}

std::string Knobs::text() const {
    std::string t;
    for (const auto &[name, value] : values_) t += (t.empty() ? "" : ",") + name + "=" + value;
    return t;
}

void Space::knob(const std::string &name, const std::vector<std::string> &values, const std::string &fallback,
                 const std::string &help) {
    if (std::find(values.begin(), values.end(), fallback) == values.end())
        throw Error("knob " + name, "the default " + fallback + " is not among its values");
    knobs_.push_back({name, help, values, fallback});
}

void Space::knob(const std::string &name, const std::vector<int> &values, int fallback,
                 const std::string &help) {
    std::vector<std::string> text;
    for (int v : values) text.push_back(std::to_string(v));
    knob(name, text, std::to_string(fallback), help);
}

void Space::set_fallback(const Knobs &fallback) {
    for (auto &knob : knobs_)
        if (auto value = fallback.values().find(knob.name); value != fallback.values().end())
            knob.fallback = value->second;
}

Knobs Space::fallback() const {
    Knobs k;
    for (const auto &knob : knobs_) k.set(knob.name, knob.fallback);
    return k;
}

bool Space::legal(const Knobs &k) const {
    if (k.values().size() != knobs_.size()) return false;
    for (const auto &knob : knobs_) {
        auto value = k.values().find(knob.name);
        if (value == k.values().end()) return false;
        if (std::find(knob.values.begin(), knob.values.end(), value->second) == knob.values.end())
            return false;
    }
    return std::all_of(rules_.begin(), rules_.end(), [&](const auto &rule) { return rule(k); });
}

std::vector<Knobs> Space::all() const {
    std::vector<Knobs> points = {fallback()};
    std::vector<size_t> digit(knobs_.size(), 0);
    for (;;) {
        Knobs k;
        for (size_t i = 0; i < knobs_.size(); i++) k.set(knobs_[i].name, knobs_[i].values[digit[i]]);
        if (legal(k) && !(k == points[0])) points.push_back(k);
        size_t i = 0;
        while (i < knobs_.size() && ++digit[i] == knobs_[i].values.size()) digit[i++] = 0;
        if (i == knobs_.size()) return points;
    }
}

std::vector<Knobs> Space::neighbours(const Knobs &k) const {
    std::vector<Knobs> near;
    for (const auto &knob : knobs_) {
        auto at = std::find(knob.values.begin(), knob.values.end(), k[knob.name]);
        for (int step : {-1, 1}) {
            auto to = at - knob.values.begin() + step;
            if (to < 0 || to >= static_cast<long>(knob.values.size())) continue;
            Knobs n = k;
            n.set(knob.name, knob.values[static_cast<size_t>(to)]);
            if (legal(n)) near.push_back(n);
        }
    }
    return near;
}

} // namespace ks
