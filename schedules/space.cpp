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

bool passes(const std::function<void()> &check) {
    try {
        check();
    } catch (const Error &) {
        return false;
    }
    return true;
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
    knobs_.push_back({name, help, values, fallback, group_});
}

void Space::knob(const std::string &name, const std::vector<int> &values, int fallback,
                 const std::string &help) {
    std::vector<std::string> text;
    for (int v : values) text.push_back(std::to_string(v));
    knob(name, text, std::to_string(fallback), help);
}

void Space::later_knob(const std::string &name, const std::vector<int> &values, int fallback,
                       const std::string &help) {
    knob(name, values, fallback, help);
    knobs_.back().implied = true;
}

void Space::formerly(const std::string &name, const std::string &value) {
    for (auto &knob : knobs_)
        if (knob.name == name) knob.former = value;
}

Space Space::without_rules() const {
    Space s = *this;
    s.rules_.clear();
    return s;
}

Knobs Space::with(const Knobs &changed) const {
    Knobs k;
    for (const auto &knob : knobs_) knob.set(k, changed.has(knob.name) ? changed[knob.name] : knob.fallback);
    return k;
}

bool Space::legal(const Knobs &k) const {
    size_t known = 0;
    for (const auto &knob : knobs_) {
        bool named = k.has(knob.name);
        known += named;
        if (!named && !knob.implied) return false;
        const std::string &value = knob.of(k);
        if (named && knob.implied && value == knob.fallback) return false;
        if (std::find(knob.values.begin(), knob.values.end(), value) == knob.values.end()) return false;
        if (knob.varies && !knob.varies(k) && value != knob.fallback && value != knob.former) return false;
    }
    if (k.values().size() != known) return false;
    return std::all_of(rules_.begin(), rules_.end(), [&](const auto &rule) { return rule(k); });
}

// Fills in the knobs from `knob` on.
void Space::extend(size_t knob, Knobs &point, std::vector<Knobs> &points) const {
    if (knob == knobs_.size()) {
        if (legal(point)) points.push_back(point);
        return;
    }
    const Knob &k = knobs_[knob];
    if (k.varies && !k.varies(point)) {
        k.set(point, k.fallback);
        return extend(knob + 1, point, points);
    }
    for (const std::string &value : k.values) {
        k.set(point, value);
        extend(knob + 1, point, points);
    }
}

std::vector<Knobs> Space::all() const {
    std::vector<Knobs> points;
    Knobs point;
    extend(0, point, points);
    // In an order that is the same whatever the groups: the first knob is the one that changes fastest.
    auto digits = [&](const Knobs &k) {
        std::vector<std::ptrdiff_t> d;
        for (auto knob = knobs_.rbegin(); knob != knobs_.rend(); ++knob)
            d.push_back(std::find(knob->values.begin(), knob->values.end(), knob->of(k)) -
                        knob->values.begin());
        return d;
    };
    std::vector<std::pair<std::vector<std::ptrdiff_t>, size_t>> order;
    for (size_t i = 0; i < points.size(); i++) order.emplace_back(digits(points[i]), i);
    std::sort(order.begin(), order.end());
    std::vector<Knobs> all = {fallback()};
    for (const auto &[at, i] : order)
        if (!(points[i] == all[0])) all.push_back(points[i]);
    return all;
}

std::vector<Knobs> Space::neighbours(const Knobs &k) const {
    std::vector<Knobs> near;
    for (const auto &knob : knobs_) {
        auto at = std::find(knob.values.begin(), knob.values.end(), knob.of(k));
        for (int step : {-1, 1}) {
            auto to = at - knob.values.begin() + step;
            if (to < 0 || to >= static_cast<long>(knob.values.size())) continue;
            Knobs n = k;
            knob.set(n, knob.values[static_cast<size_t>(to)]);
            if (legal(n)) near.push_back(n);
        }
    }
    return near;
}

} // namespace ks
