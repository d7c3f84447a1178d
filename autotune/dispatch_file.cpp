// SPDX-License-Identifier: Apache-2.0
// Dispatch tables as JSON files: strict reading, stable writing.
#include "autotune/dispatch.h"
#include "autotune/fields.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <tuple>
#include <unistd.h>

namespace ks::tune {

namespace {

constexpr int format_version = 1;

double short_number(double v) { return std::stod(fmt::format("{:.6g}", v)); } // noise digits make noisy diffs

json to_json(const Evidence &e) {
    return {{"shape", dims_text(e.shape)},
            {"ratio", short_number(e.ratio)},
            {"low", short_number(e.low)},
            {"high", short_number(e.high)},
            {"seconds", short_number(e.seconds)}};
}

json to_json(const Rival &r) {
    json object = to_json(static_cast<const Evidence &>(r));
    object["knobs"] = r.knobs;
    return object;
}

// By shape.
template <typename T>
json list_of(std::vector<T> measured) {
    std::sort(measured.begin(), measured.end(), [](auto &a, auto &b) { return a.shape < b.shape; });
    json list = json::array();
    for (const T &m : measured) list.push_back(to_json(m));
    return list;
}

json to_json(const Tuned &t) {
    return {{"op", t.op},   {"op_version", t.op_version},  {"choices", t.choices}, {"fixed", t.fixed},
            {"isa", t.isa}, {"rivals", list_of(t.rivals)}, {"date", t.date},       {"compiler", t.compiler}};
}

json to_json(const Rule &r) {
    json where = json::object();
    for (const auto &[name, in] : r.where) where[name] = fmt::format("{}..{}", in.low, in.high);
    return {{"op", r.op},           {"op_version", r.op_version},
            {"choices", r.choices}, {"fixed", r.fixed},
            {"isa", r.isa},         {"where", where},
            {"knobs", r.knobs},     {"evidence", list_of(r.evidence)},
            {"date", r.date},       {"compiler", r.compiler}};
}

Interval parse_interval(const std::string &text) {
    Interval in{};
    int used = 0;
    long long low = 0, high = 0;
    if (std::sscanf(text.c_str(), "%lld..%lld%n", &low, &high, &used) != 2 ||
        text.size() != static_cast<size_t>(used))
        throw Error(text, "is not an interval low..high");
    in = {low, high};
    if (low > high) throw Error(text, "is an empty interval");
    return in;
}

std::string read_knobs(Fields &f) {
    auto knobs = f.get<std::string>("knobs");
    if (parse_knobs(knobs).text() != knobs) throw Error(knobs, "knobs are not sorted by name");
    return knobs;
}

Evidence read_evidence(Fields &f) {
    return {parse_dims(f.get<std::string>("shape")), f.number("ratio"), f.number("low"), f.number("high"),
            f.number("seconds")};
}

// The fields that name a kernel, and what made it.
template <typename T>
void read_kernel(Fields &f, T &kernel) {
    kernel.op = f.get<std::string>("op");
    kernel.op_version = f.get<int>("op_version");
    kernel.choices = f.get<std::map<std::string, std::string>>("choices");
    kernel.fixed = f.get<Dims>("fixed");
    kernel.isa = f.get<std::string>("isa");
    kernel.date = f.get<std::string>("date");
    kernel.compiler = f.get<std::string>("compiler");
}

Tuned read_tuned(const json &object, size_t number) {
    Fields f(object, fmt::format("tuned kernel {}", number));
    Tuned t;
    read_kernel(f, t);
    for (const json &item : f.get<std::vector<json>>("rivals")) {
        Fields r(item, fmt::format("rival of tuned kernel {}", number));
        t.rivals.push_back({read_evidence(r), read_knobs(r)});
        r.done();
    }
    f.done();
    return t;
}

Rule read_rule(const json &object, size_t number) {
    Fields f(object, fmt::format("rule {}", number));
    Rule r;
    read_kernel(f, r);
    for (const auto &[name, text] : f.get<std::map<std::string, std::string>>("where"))
        r.where[name] = parse_interval(text);
    r.knobs = read_knobs(f);
    for (const json &item : f.get<std::vector<json>>("evidence")) {
        Fields e(item, fmt::format("evidence of rule {}", number));
        r.evidence.push_back(read_evidence(e));
        e.done();
        if (r.evidence.back().ratio > 1)
            throw Error(fmt::format("rule {} was slower than the default at {}", number,
                                    dims_text(r.evidence.back().shape)));
    }
    f.done();
    return r;
}

bool overlap(const Rule &a, const Rule &b) {
    if (std::tie(a.op, a.choices, a.fixed, a.isa) != std::tie(b.op, b.choices, b.fixed, b.isa)) return false;
    for (const auto &[name, in] : a.where) {
        auto other = b.where.find(name);
        if (other != b.where.end() && (in.high < other->second.low || other->second.high < in.low))
            return false;
    }
    return true;
}

auto kernel_key(const Tuned &t) { return std::tie(t.op, t.isa, t.choices, t.fixed); }

auto order(const Rule &r) {
    std::vector<std::tuple<std::string, int64_t, int64_t>> where;
    for (const auto &[name, in] : r.where) where.emplace_back(name, in.low, in.high);
    return std::make_tuple(r.op, r.isa, r.choices, r.fixed, where, r.knobs);
}

} // namespace

std::string table_text(const Table &table) {
    auto rules = table.rules;
    std::sort(rules.begin(), rules.end(), [](auto &a, auto &b) { return order(a) < order(b); });
    auto tuned = table.tuned;
    std::sort(tuned.begin(), tuned.end(), [](auto &a, auto &b) { return kernel_key(a) < kernel_key(b); });
    json root = {{"format", format_version}, {"device", table.device}};
    for (const Rule &r : rules) root["rules"].push_back(to_json(r));
    for (const Tuned &t : tuned) root["tuned"].push_back(to_json(t));
    for (const char *list : {"rules", "tuned"})
        if (!root.contains(list)) root[list] = json::array();
    return root.dump(1) + "\n";
}

void save_table(const Table &table, const std::string &path) {
    std::string part = fmt::format("{}.{}.part", path, getpid());
    FILE *file = std::fopen(part.c_str(), "wb");
    if (!file) throw Error(part, "cannot be created");
    std::string text = table_text(table);
    bool good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    good = std::fflush(file) == 0 && fsync(fileno(file)) == 0 && good;
    good = std::fclose(file) == 0 && good;
    if (good && std::rename(part.c_str(), path.c_str()) == 0) return;
    std::remove(part.c_str());
    throw Error(path, "cannot be written");
}

Table load_table(const std::string &path) {
    std::ifstream file(path);
    if (!file) throw Error(path, "cannot be opened");
    std::stringstream text;
    text << file.rdbuf();
    json root = json::parse(text.str(), nullptr, false);
    try {
        if (root.is_discarded()) throw Error("is not JSON");
        Fields f(root, "the table");
        if (int v = f.get<int>("format"); v != format_version)
            throw Error(fmt::format("has the unknown format {}", v));
        Table table;
        table.device = f.get<std::string>("device");
        for (const json &rule : f.get<std::vector<json>>("rules"))
            table.rules.push_back(read_rule(rule, table.rules.size()));
        if (f.has("tuned")) // the table that a build begins with has none
            for (const json &kernel : f.get<std::vector<json>>("tuned"))
                table.tuned.push_back(read_tuned(kernel, table.tuned.size()));
        f.done();
        for (size_t i = 0; i < table.tuned.size(); i++)
            for (size_t j = i + 1; j < table.tuned.size(); j++)
                if (kernel_key(table.tuned[i]) == kernel_key(table.tuned[j]))
                    throw Error(fmt::format("tuned kernels {} and {} are the same", i, j));
        for (size_t i = 0; i < table.rules.size(); i++)
            for (size_t j = i + 1; j < table.rules.size(); j++)
                if (overlap(table.rules[i], table.rules[j]))
                    throw Error(fmt::format("rules {} and {} overlap", i, j));
        return table;
    } catch (const Error &e) {
        throw Error(path, e.what());
    }
}

} // namespace ks::tune
