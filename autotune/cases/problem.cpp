// SPDX-License-Identifier: Apache-2.0
#include "autotune/cases/problem.h"
#include "autotune/cases/values.h"
#include "generators/flags.h"
#include "runtime/base/error.h"
#include "runtime/base/tiles.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace ks::cases {

namespace {

bool begins(const std::string &text, const char *with) { return text.rfind(with, 0) == 0; }

int option_flags(const std::string &op) {
    if (begins(op, "selective_")) return scan_softplus;
    if (begins(op, "causal_conv1d")) return conv_silu;
    return op == "rms_norm" || op == "layer_norm" ? int(norm_add) : 0;
}

// Rows of every expert, in order: each is drawn for every row.
template <typename Draw>
std::vector<std::vector<int>> routed(const Problem &p, const Draw &draw) {
    std::vector<std::vector<int>> rows_of(static_cast<size_t>(p.dims.at("E")));
    std::mt19937 engine(11);
    for (int row = 0; row < p.dims.at("T"); row++) rows_of[draw(engine)].push_back(row);
    return rows_of;
}

// Tiles of routed rows as ops that take them want them. Each row has an expert; with few rows one expert has
// none. Tiles that are left over are not used.
void fill_tiles(Problem &p) {
    auto G = static_cast<size_t>(p.dims.at("G")), B = static_cast<size_t>(p.dims.at("B"));
    auto E = static_cast<unsigned>(p.dims.at("E"));
    constexpr unsigned few_rows = 300, idle = 1;
    bool one_idle = E > 2 && p.dims.at("T") <= few_rows;
    auto rows_of = routed(p, [&](std::mt19937 &engine) {
        unsigned e = engine() % E;
        return one_idle && e == idle ? 0 : e;
    });
    Values rows(G * B, 0), experts(G * B, -1);
    size_t tile = 0;
    for (size_t e = 0; e < E; e++)
        for (size_t first = 0; first < rows_of[e].size() && tile < G; first += B, tile++)
            for (size_t b = 0; b < B; b++) {
                rows[tile * B + b] = rows_of[e][std::min(first + b, rows_of[e].size() - 1)];
                experts[tile * B + b] = static_cast<double>(e);
            }
    p.in["rows"] = rows, p.in["experts"] = experts;
}

// Ids and row numbers: legal ones, and none twice where rows are written to.
Values integers(const Problem &p, const Operand &o) {
    const Contract &c = *p.contract;
    size_t count = p.count(o);
    auto rows = static_cast<size_t>(c.name == "embedding" ? p.dims.at("V") : p.dims.at("T"));
    Values v(count);
    std::mt19937 engine(7);
    if (c.name == "expert_down") {
        std::vector<int> all(rows);
        std::iota(all.begin(), all.end(), 0);
        std::shuffle(all.begin(), all.end(), engine);
        std::copy_n(all.begin(), count, v.begin());
    } else {
        for (double &i : v) i = static_cast<double>(engine() % rows);
    }
    return v;
}

// What a router would say of tokens whose experts are drawn at random; now and then one expert has all, and
// of many some have none.
void fill_routing(Problem &p) {
    auto T = static_cast<size_t>(p.dims.at("T")), E = static_cast<size_t>(p.dims.at("E"));
    auto rows_of =
        routed(p, [&](std::mt19937 &engine) { return T % 3 == 2 ? T % E : engine() % (E - E / 4); });
    Values counts, offsets = {0}, permutation;
    for (const std::vector<int> &rows : rows_of) {
        permutation.insert(permutation.end(), rows.begin(), rows.end());
        counts.push_back(static_cast<double>(rows.size()));
        offsets.push_back(static_cast<double>(permutation.size()));
    }
    p.in["counts"] = counts, p.in["offsets"] = offsets, p.in["permutation"] = permutation;
}

Values reals(const Problem &p, const Operand &o, int seed) {
    const std::string &op = p.contract->name;
    size_t count = p.count(o);
    if (begins(op, "sinkhorn") && o.name != "logits") { // scales: positive, or any logarithm
        Values v = normal(count, seed);
        if (p.choices.at("space") == "linear")
            for (double &x : v) x = static_cast<float>(std::exp(x) / 8);
        return v;
    }
    Values v = normal(count, seed, o.name == "w" ? 1 / std::sqrt(static_cast<double>(p.dims.at("K"))) : 1);
    bool step = (o.name == "dt" || o.name == "dt_bias") && !(p.flags & scan_softplus); // taken as it is
    if (begins(op, "selective_") && (o.name == "A" || step))
        for (double &x : v) x = static_cast<float>(o.name == "A" ? -0.1 - std::fabs(x) : std::fabs(x));
    return stored(p.storage(o), v);
}

// Slots that repeat a row are to write the same: what they bring of their own is equal.
void repeat_slots(Problem &p) {
    const Values &rows = p.in.at("rows");
    auto B = static_cast<size_t>(p.dims.at("B"));
    for (const Operand &o : p.contract->operands) {
        if (o.role != Role::input || o.shape.size() != 3 || o.shape[0] != "G" || o.shape[1] != "B") continue;
        auto width = static_cast<std::ptrdiff_t>(p.value(o.shape[2]));
        auto of_slot = p.in.at(o.name).begin();
        for (size_t slot = 0; slot < rows.size(); slot++, of_slot += width)
            if (slot % B && rows[slot] == rows[slot - 1]) std::copy_n(of_slot - width, width, of_slot);
    }
}

} // namespace

bool takes_tiles(const Contract &contract) {
    return std::any_of(contract.operands.begin(), contract.operands.end(), [](const Operand &o) {
        return o.role == Role::input && o.shape == std::vector<std::string>{"G", "B"};
    });
}

bool written(const Operand &o) { return o.role == Role::output || o.role == Role::in_place; }

int64_t Problem::value(const std::string &name) const {
    auto dim = dims.find(name);
    return dim != dims.end() ? dim->second : std::stoll(choices.at(name));
}

int64_t Problem::sequences() const {
    return seq_start.empty() ? 1 : static_cast<int64_t>(seq_start.size()) - 1;
}

std::vector<int64_t> Problem::shape(const Operand &o) const {
    std::vector<int64_t> extents;
    if (o.per_sequence) extents.push_back(sequences());
    for (const auto &entry : o.shape) {
        ShapeTerm term = shape_term(entry);
        extents.push_back(value(term.name) + term.plus);
    }
    return extents;
}

size_t Problem::count(const Operand &o) const {
    size_t n = 1;
    for (int64_t extent : shape(o)) n *= static_cast<size_t>(extent);
    return n;
}

std::string Problem::storage(const Operand &o) const {
    return o.type == "f32" || o.type == "i32" ? o.type : choices.at(o.type);
}

int Problem::present() const {
    int bits = flags;
    for (const auto &o : contract->operands)
        if (o.role == Role::optional && in.count(o.name)) bits |= o.flag;
    return bits;
}

std::string Problem::text() const {
    std::string t = contract->name;
    for (const auto &[name, value] : choices) t += " " + name + "=" + value;
    for (const auto &[name, value] : dims) t += " " + name + "=" + std::to_string(value);
    if (sequences() > 1) t += " sequences=" + std::to_string(sequences());
    return t + " flags=" + std::to_string(present());
}

Dims call_dims(const Contract &contract, const Spec &spec, const Dims &dynamic) {
    Dims dims = dynamic;
    dims.insert(spec.fixed.begin(), spec.fixed.end());
    if (contract.name == "expert_down" && dims.count("R")) dims.emplace("T", dims.at("R"));
    if (takes_tiles(contract) && dims.count("T") && dims.count("B") && dims.count("E"))
        dims.emplace("G", most_tiles(dims.at("T"), dims.at("E"), dims.at("B")));
    for (const Dimension &d : contract.dims)
        if (!dims.count(d.name)) throw Error(contract.name, "the shape lacks " + d.name);
    return dims;
}

Problem random_problem(const Contract &contract, const std::map<std::string, std::string> &choices,
                       const Dims &dims, bool options, const std::vector<int> &seq_start) {
    Problem p;
    p.contract = &contract;
    p.choices = choices;
    p.dims = dims;
    p.seq_start = seq_start;
    if (options) p.flags = option_flags(contract.name);
    int seed = 1;
    for (const auto &o : p.contract->operands) {
        seed++;
        if (o.role == Role::optional && !options) continue;
        if (o.role == Role::output)
            p.in[o.name].assign(p.count(o), -77); // every storage holds it
        else
            p.in[o.name] = o.type == "i32" ? integers(p, o) : reals(p, o, seed);
    }
    if (takes_tiles(contract)) fill_tiles(p), repeat_slots(p);
    if (contract.name == "expert_tiles") fill_routing(p);
    return p;
}

double allowed_error(const Problem &p, const Operand &o, const Values &wanted) {
    if (o.type == "i32" || o.name == "residual") return 0; // exact
    const auto &tolerance = p.contract->tolerance;
    auto rounding = p.choices.find("rounding");
    double relative = tolerance.at(rounding == p.choices.end() ? p.storage(o) : rounding->second);
    double largest = 0, absolute = 0;
    for (double w : wanted)
        if (std::isfinite(w)) largest = std::max(largest, std::fabs(w));
    if (o.name == "change") // a difference of scales: it has their rounding
        for (double d : p.in.at("d1")) largest = std::max(largest, std::fabs(d));
    if (p.choices.count("space") && p.choices.at("space") == "log") { // the contract's second term
        for (double l : p.in.at("logits")) absolute = std::max(absolute, std::fabs(l) * 2e-7);
        if (o.name == "plan") absolute *= largest;
    }
    return relative * largest + absolute;
}

} // namespace ks::cases
