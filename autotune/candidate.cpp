// SPDX-License-Identifier: Apache-2.0
#include "autotune/candidate.h"
#include "runtime/base/error.h"
#include <fmt/format.h>

namespace ks::tune {

namespace {

// FNV-1a, 64 bits: stable over compilers and machines, which std::hash is not.
uint64_t fnv(const std::string &text) {
    uint64_t hash = 14695981039346656037u;
    for (unsigned char c : text) hash = (hash ^ c) * 1099511628211u;
    return hash;
}

std::map<std::string, std::string> parse_pairs(const std::string &text) {
    std::map<std::string, std::string> pairs;
    for (size_t at = 0; at < text.size();) {
        size_t end = std::min(text.find(',', at), text.size()), equal = text.find('=', at);
        if (equal == std::string::npos || equal == at || equal + 1 >= end)
            throw Error(text, "is not a list of name=value");
        if (!pairs.emplace(text.substr(at, equal - at), text.substr(equal + 1, end - equal - 1)).second)
            throw Error(text, "names " + text.substr(at, equal - at) + " twice");
        if (end + 1 == text.size()) throw Error(text, "ends with a comma");
        at = end + 1;
    }
    return pairs;
}

} // namespace

std::string Candidate::text() const {
    std::string t = op;
    for (const std::string &part : {spec.text(), isa, knobs.text()})
        if (!part.empty()) t += " " + part;
    return t;
}

std::string identity(const Candidate &c, const Versions &versions) {
    // A line feed occurs in none of the parts, so no two different candidates share one text.
    return fmt::format("{:016x}", fnv(fmt::format("{}\n{}\n{}\n{}\n{}\n{}", c.op, versions.op, c.spec.text(),
                                                  c.isa, c.knobs.text(), versions.compiler)));
}

json to_json(const Candidate &c) {
    return {{"op", c.op},
            {"choices", c.spec.choices},
            {"fixed", c.spec.fixed},
            {"isa", c.isa},
            {"knobs", c.knobs.values()}};
}

Candidate candidate_from_json(const json &object) {
    const char *field = "op";
    try {
        Candidate c;
        object.at(field).get_to(c.op);
        object.at(field = "choices").get_to(c.spec.choices);
        object.at(field = "fixed").get_to(c.spec.fixed);
        object.at(field = "isa").get_to(c.isa);
        c.knobs = Knobs(object.at(field = "knobs").get<std::map<std::string, std::string>>());
        return c;
    } catch (const json::exception &) {
        throw Error("candidate", fmt::format("\"{}\" is missing or of the wrong type", field));
    }
}

Knobs parse_knobs(const std::string &text) { return Knobs(parse_pairs(text)); }

Dims parse_dims(const std::string &text) {
    Dims dims;
    for (const auto &[name, value] : parse_pairs(text)) {
        size_t used = 0;
        try {
            dims[name] = std::stoll(value, &used);
        } catch (const std::exception &) {
            used = 0;
        }
        if (used != value.size()) throw Error(text, value + " is not an integer");
    }
    return dims;
}

std::string dims_text(const Dims &dims) {
    std::string t;
    for (const auto &[name, value] : dims) t += fmt::format("{}{}={}", t.empty() ? "" : ",", name, value);
    return t;
}

int distance(const Knobs &a, const Knobs &b) {
    int differ = 0;
    for (const auto &[name, value] : a.values()) {
        auto other = b.values().find(name);
        differ += other == b.values().end() || other->second != value;
    }
    for (const auto &[name, value] : b.values()) differ += !a.values().count(name);
    return differ;
}

} // namespace ks::tune
