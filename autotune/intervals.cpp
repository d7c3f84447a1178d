// SPDX-License-Identifier: Apache-2.0
#include "autotune/intervals.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace ks::tune {

namespace {

using Points = std::map<Dims, Evidence>; // of one variant, by shape

struct Variant {
    std::string knobs;
    int complexity; // knobs that differ from the default
    Points points;  // where it was measured
    // log of its speed there relative to the default; those that tie with the fastest all get the fastest's,
    // the default's 0 included, so that of tied variants the simpler is taken
    std::map<Dims, double> gain;
};

struct Box {
    size_t variant;
    std::map<std::string, Interval> where;
};

bool inside(const Dims &shape, const std::map<std::string, Interval> &where) {
    for (const auto &[name, in] : where)
        if (!in.holds(shape.at(name))) return false;
    return true;
}

class Cutter {
  public:
    Cutter(const std::vector<Variant> &variants, const std::set<Dims> &shapes)
        : variants_(variants), shapes_(shapes) {
        for (const Dims &d : shapes)
            for (const auto &[name, value] : d) values_[name].insert(value);
    }

    std::vector<Box> cut() {
        std::vector<std::string> names;
        for (const auto &[name, set] : values_) names.push_back(name);
        if (names.empty()) return {};
        std::stable_sort(names.begin(), names.end(),
                         [&](auto &a, auto &b) { return values_[a].size() > values_[b].size(); });
        std::vector<Box> boxes;
        std::set<Dims> lines; // the shapes without their longest dimension
        for (Dims d : shapes_) d.erase(names[0]), lines.insert(d);
        for (const Dims &line : lines)
            for (Box &b : cut_line(names[0], line)) boxes.push_back(std::move(b));
        for (size_t i = 1; i < names.size(); i++) boxes = join(boxes, names[i]);
        boxes.erase(std::remove_if(boxes.begin(), boxes.end(), [&](auto &b) { return !faster_somewhere(b); }),
                    boxes.end());
        return boxes;
    }

  private:
    // Ends and a middle of every dimension measured, and nowhere inside slower than the default.
    bool valid(const Box &b) const {
        const Points &points = variants_[b.variant].points;
        std::map<std::string, std::set<int64_t>> seen;
        for (const Dims &d : shapes_) {
            if (!inside(d, b.where)) continue;
            auto at = points.find(d);
            if (at == points.end() || at->second.ratio > 1) return false;
            for (const auto &[name, value] : d) seen[name].insert(value);
        }
        size_t corners = 1;
        for (const auto &[name, in] : b.where) {
            const auto &v = seen[name];
            if (!v.count(in.low) || !v.count(in.high)) return false;
            bool middle = in.high - in.low <= 1 || std::any_of(v.begin(), v.end(), [&, i = in](int64_t m) {
                              return is_middle(i.low, m, i.high);
                          });
            if (!middle) return false;
            corners *= v.size();
        }
        // The measured shapes must form a grid inside the box: a hole is a place never looked at.
        size_t measured = 0;
        for (const Dims &d : shapes_) measured += inside(d, b.where);
        return measured == corners;
    }

    double gain(const Box &b) const {
        double sum = 0;
        for (const auto &[shape, g] : variants_[b.variant].gain)
            if (inside(shape, b.where)) sum += g;
        return sum;
    }

    bool faster_somewhere(const Box &b) const {
        for (const auto &[shape, e] : variants_[b.variant].points)
            if (inside(shape, b.where) && e.high < 1) return true;
        return false;
    }

    // The best way to cut one line: dynamic programming over its measured values.
    std::vector<Box> cut_line(const std::string &name, const Dims &line) const {
        std::vector<int64_t> v;
        for (Dims d : shapes_) {
            int64_t value = d.at(name);
            if (d.erase(name), d == line) v.push_back(value);
        }
        std::sort(v.begin(), v.end());
        struct Step {
            double gain = 0;
            size_t begin = 0;
            std::optional<Box> box;
        };
        std::vector<Step> best(v.size() + 1); // best[i]: the first i values
        for (size_t end = 1; end <= v.size(); end++) {
            best[end] = {best[end - 1].gain, end - 1, {}};
            for (size_t begin = 0; begin < end; begin++)
                for (size_t k = 0; k < variants_.size(); k++) {
                    Box b{k, {{name, {v[begin], v[end - 1]}}}};
                    for (const auto &[other, value] : line) b.where[other] = {value, value};
                    double total = best[begin].gain + gain(b);
                    // Of equal gains the longer interval, then the simpler variant: they are tried first.
                    if (total > best[end].gain + 1e-9 && valid(b) && faster_somewhere(b))
                        best[end] = {total, begin, b};
                }
        }
        std::vector<Box> boxes;
        for (size_t end = v.size(); end > 0; end = best[end].begin)
            if (best[end].box) boxes.push_back(*best[end].box);
        return boxes;
    }

    // Joins runs of boxes that differ in this dimension only; the longest valid run from each on.
    std::vector<Box> join(std::vector<Box> boxes, const std::string &name) const {
        auto rest = [&](Box b) {
            b.where.erase(name);
            std::vector<std::tuple<std::string, int64_t, int64_t>> key;
            for (const auto &[n, in] : b.where) key.emplace_back(n, in.low, in.high);
            return std::make_pair(b.variant, key);
        };
        std::map<decltype(rest(boxes[0])), std::vector<Box>> groups;
        for (Box &b : boxes) groups[rest(b)].push_back(b);
        std::vector<Box> joined;
        for (auto &[key, group] : groups) {
            std::sort(group.begin(), group.end(),
                      [&](auto &a, auto &b) { return a.where.at(name).low < b.where.at(name).low; });
            for (size_t i = 0; i < group.size();) {
                size_t end = group.size();
                Box whole = group[i];
                for (; end > i + 1; end--) {
                    whole.where[name] = {group[i].where.at(name).low, group[end - 1].where.at(name).high};
                    if (valid(whole) && !meets_other(whole, group, i, end, boxes)) break;
                }
                if (end == i + 1) whole = group[i];
                joined.push_back(whole);
                i = end;
            }
        }
        return joined;
    }

    // A box of another variant (or cut) between the joined ones must not be covered.
    static bool meets_other(const Box &whole, const std::vector<Box> &group, size_t begin, size_t end,
                            const std::vector<Box> &boxes) {
        auto meets = [&](const Box &b) {
            for (const auto &[n, in] : b.where)
                if (in.high < whole.where.at(n).low || whole.where.at(n).high < in.low) return false;
            return true;
        };
        auto mine = [&](const Box &b) {
            for (size_t i = begin; i < end; i++)
                if (group[i].where == b.where && group[i].variant == b.variant) return true;
            return false;
        };
        return std::any_of(boxes.begin(), boxes.end(), [&](const Box &b) { return meets(b) && !mine(b); });
    }

    const std::vector<Variant> &variants_;
    const std::set<Dims> &shapes_;
    std::map<std::string, std::set<int64_t>> values_;
};

double fastest_gain(const ShapeResult &r) {
    double gain = 0;
    for (const Finalist &f : r.finalists) gain = std::max(gain, -std::log(f.ratio.value));
    return r.finalists[0].tied ? 0 : gain;
}

} // namespace

bool is_middle(int64_t low, int64_t middle, int64_t high) {
    if (middle <= low || middle >= high) return false;
    auto half = [](double part) { return part >= 0.25 && part <= 0.75; };
    double l = static_cast<double>(low), m = static_cast<double>(middle), h = static_cast<double>(high);
    return half((m - l) / (h - l)) || (low > 0 && half(std::log(m / l) / std::log(h / l)));
}

std::vector<int64_t> ladder(int64_t low, int64_t high) {
    std::vector<int64_t> v = {low};
    for (int64_t p = 1; p < high; p *= 2)
        if (p > low) v.push_back(p);
    if (v.size() == 1 && high - low > 1) v.push_back(low + (high - low) / 2);
    if (high > low) v.push_back(high);
    return v;
}

std::vector<Rule> make_rules(const Task &task, const Result &result, const std::string &date) {
    std::map<std::string, Variant> by_knobs;
    std::set<Dims> shapes;
    for (const ShapeResult &r : result.shapes) {
        shapes.insert(r.shape);
        for (size_t i = 1; i < r.finalists.size(); i++) { // 0 is the default
            const Finalist &f = r.finalists[i];
            Variant &v = by_knobs[f.candidate.knobs.text()];
            v.knobs = f.candidate.knobs.text();
            v.complexity = distance(f.candidate.knobs, task.space.fallback());
            v.gain[r.shape] = f.tied ? fastest_gain(r) : -std::log(f.ratio.value);
            v.points[r.shape] = {r.shape, f.ratio.value, f.ratio.low, f.ratio.high, f.seconds};
        }
    }
    std::vector<Variant> variants;
    for (auto &[text, v] : by_knobs) variants.push_back(std::move(v));
    std::stable_sort(variants.begin(), variants.end(),
                     [](auto &a, auto &b) { return a.complexity < b.complexity; });
    std::vector<Rule> rules;
    for (const Box &b : Cutter(variants, shapes).cut()) {
        Rule r{task.op,
               task.versions.op,
               task.spec.choices,
               task.spec.fixed,
               task.isa,
               b.where,
               variants[b.variant].knobs,
               {},
               task.versions.compiler,
               date};
        for (const auto &[shape, e] : variants[b.variant].points)
            if (inside(shape, b.where)) r.evidence.push_back(e);
        rules.push_back(std::move(r));
    }
    return rules;
}

Tuned make_tuned(const Task &task, const Result &result, const std::string &date) {
    Tuned t{
        task.op, task.versions.op, task.spec.choices, task.spec.fixed, task.isa, {}, task.versions.compiler,
        date};
    for (const ShapeResult &r : result.shapes) {
        auto others = r.finalists.begin() + 1;
        auto best = std::min_element(others, r.finalists.end(),
                                     [](auto &a, auto &b) { return a.ratio.value < b.ratio.value; });
        if (best == r.finalists.end()) continue;
        t.rivals.push_back({{r.shape, best->ratio.value, best->ratio.low, best->ratio.high, best->seconds},
                            best->candidate.knobs.text()});
    }
    return t;
}

} // namespace ks::tune
