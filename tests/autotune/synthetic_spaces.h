// SPDX-License-Identifier: Apache-2.0
// Schedule spaces with a known time for every point, for judging searches: smooth, rugged, with cliffs, with
// failures; and recorded ones from JSON lines.
#pragma once
#include "autotune/search.h"
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace ks::tune {

struct KnownSpace {
    std::string name;
    Space space;
    std::map<Knobs, std::optional<double>> seconds;

    double best() const {
        double b = INFINITY;
        for (const auto &[k, s] : seconds)
            if (s) b = std::min(b, *s);
        return b;
    }
    Knobs worst() const {
        auto at = seconds.begin();
        for (auto i = seconds.begin(); i != seconds.end(); ++i)
            if (i->second && (!at->second || *i->second > *at->second)) at = i;
        return at->first;
    }
};

// A repeatable number in [0, 1) for a text.
inline double lot(const std::string &text) {
    uint64_t h = 88172645463325252u;
    for (unsigned char c : text) h = (h ^ c) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return static_cast<double>(h >> 11) / 9007199254740992.0;
}

struct Shape {
    const char *name;
    std::vector<int> levels; // values per knob
    double bowl;             // weight of the smooth part around a hidden optimum
    double twist;            // weight of pairwise interactions
    double rough;            // standard deviation of the log of a random factor per point
    bool cliff;              // a product rule beyond which time triples, as spills do
    double failing;          // share of points that fail
};

inline KnownSpace synthetic(const Shape &s) {
    KnownSpace known{s.name, {}, {}};
    std::vector<double> hidden;
    for (size_t i = 0; i < s.levels.size(); i++) {
        std::vector<int> values;
        for (int v = 0; v < s.levels[i]; v++) values.push_back(v);
        known.space.knob("k" + std::to_string(i), values, 0, "");
        hidden.push_back(lot(std::string(s.name) + std::to_string(i)) * (s.levels[i] - 1));
    }
    for (const Knobs &k : known.space.all()) {
        std::string tag = std::string(s.name) + k.text();
        double log_time = 0;
        std::vector<double> away;
        int product = 1;
        for (size_t i = 0; i < s.levels.size(); i++) {
            int v = k.integer("k" + std::to_string(i));
            away.push_back((v - hidden[i]) / std::max(1, s.levels[i] - 1));
            log_time += s.bowl * (1 + lot(s.name + std::string("w") + std::to_string(i))) * away[i] * away[i];
            product *= v + 1;
        }
        for (size_t i = 0; i + 1 < away.size(); i++) log_time += s.twist * away[i] * away[i + 1];
        for (size_t i = 0; i < away.size(); i++) // categorical effects of pairs, no order in them
            for (size_t j = i + 1; j < away.size(); j++)
                log_time += s.twist * 0.2 *
                            lot(s.name + k["k" + std::to_string(i)] + "," + k["k" + std::to_string(j)] + "p" +
                                std::to_string(i * 10 + j));
        if (s.cliff && product > 24) log_time += std::log(3.0);
        double gauss = std::sqrt(-2 * std::log(1 - lot(tag))) * std::cos(6.2831853 * lot(tag + "g"));
        log_time += s.rough * gauss;
        known.seconds[k] = 1e-3 * std::exp(log_time);
        if (!(k == known.space.fallback()) && lot(tag + "f") < s.failing) known.seconds[k] = std::nullopt;
    }
    return known;
}

inline std::vector<Shape> shapes() {
    return {
        {"smooth", {4, 3, 3, 3, 2, 2}, 1.0, 0.0, 0.0, false, 0},
        {"twisted", {4, 3, 3, 3, 2, 2}, 0.6, 0.6, 0.0, false, 0},
        {"rugged", {4, 3, 3, 3, 2, 2}, 0.6, 0.4, 0.08, false, 0},
        {"cliff", {5, 5, 4, 3, 2}, 0.6, 0.4, 0.04, true, 0},
        {"failing", {4, 4, 4, 3, 2, 2}, 0.6, 0.4, 0.04, false, 0.3},
        {"small", {4, 4, 3, 2}, 0.6, 0.3, 0.03, false, 0},
        {"large", {6, 5, 4, 4, 4}, 0.6, 0.4, 0.08, true, 0.1},
        {"flat", {5, 4, 4, 4, 2}, 0.1, 0.1, 0.05, false, 0},
        {"categorical", {8, 8, 3, 3, 2}, 0.0, 1.0, 0.03, false, 0},
        {"long", {40, 20, 2}, 1.0, 0.3, 0.04, false, 0},
    };
}

// One JSON object a line: {"knobs": {...}, "seconds": x}; without "seconds" the point failed. The first line
// is the default. Values are ordered as numbers where all are numbers, so that neighbours are similar.
inline KnownSpace recorded(const std::string &path) {
    KnownSpace known{path, {}, {}};
    std::ifstream file(path);
    std::map<std::string, std::set<std::string>> values;
    Knobs first;
    for (std::string line; std::getline(file, line);) {
        auto object = nlohmann::json::parse(line);
        Knobs k(object.at("knobs").get<std::map<std::string, std::string>>());
        if (known.seconds.empty()) first = k;
        known.seconds[k] =
            object.contains("seconds") ? std::optional<double>(object["seconds"]) : std::nullopt;
        for (const auto &[name, value] : k.values()) values[name].insert(value);
    }
    for (const auto &[name, set] : values) {
        std::vector<std::string> list(set.begin(), set.end());
        bool numbers = std::all_of(list.begin(), list.end(), [](const std::string &v) {
            return !v.empty() && v.find_first_not_of("0123456789") == std::string::npos;
        });
        if (numbers)
            std::sort(list.begin(), list.end(), [](auto &a, auto &b) { return std::stol(a) < std::stol(b); });
        known.space.knob(name, list, first[name], "");
    }
    auto *points = new std::set<Knobs>; // shared with the rule for as long as the test runs
    for (const auto &[k, s] : known.seconds) points->insert(k);
    known.space.rule(
        [keep = std::shared_ptr<std::set<Knobs>>(points)](const Knobs &k) { return keep->count(k) > 0; });
    return known;
}

// Evaluations until a point within 95 % of the best is found, when `batch` are proposed before any is
// measured.
inline size_t points_needed(const KnownSpace &known, Strategy &strategy, size_t batch) {
    std::vector<Trial> history;
    double goal = known.best() / 0.95;
    for (;;) {
        std::vector<Knobs> proposed;
        while (proposed.size() < batch) {
            auto k = strategy.next(history, proposed);
            if (!k) break;
            proposed.push_back(*k);
        }
        if (proposed.empty()) return history.size();
        for (const Knobs &k : proposed) {
            auto s = known.seconds.at(k);
            history.push_back({k, s});
            if (s && *s <= goal) return history.size();
        }
    }
}

} // namespace ks::tune
