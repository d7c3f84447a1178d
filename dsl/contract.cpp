// SPDX-License-Identifier: Apache-2.0
#include "dsl/contract.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks {

namespace {

template <typename T>
const T &named(const std::vector<T> &list, const std::string &op, const std::string &name) {
    for (const auto &item : list)
        if (item.name == name) return item;
    throw Error(op, "has no " + name);
}

} // namespace

const Dimension &Contract::dim(const std::string &dim_name) const { return named(dims, name, dim_name); }
const Operand &Contract::operand(const std::string &operand_name) const {
    return named(operands, name, operand_name);
}

ShapeTerm shape_term(const std::string &entry) {
    size_t sign = entry.find_first_of("+-");
    if (sign == std::string::npos) return {entry, 0};
    return {entry.substr(0, sign), std::stoi(entry.substr(sign))};
}

std::vector<std::string> buffer_shape(const Operand &operand,
                                      const std::map<std::string, std::string> &choices) {
    std::vector<std::string> shape = operand.shape;
    auto innermost = shape.empty() ? choices.end() : choices.find(shape.back());
    if (innermost != choices.end() && innermost->second == "1") shape.pop_back();
    return shape;
}

const std::string &Spec::choice(const std::string &name) const {
    auto found = choices.find(name);
    if (found == choices.end()) throw Error("kernel " + text(), "the choice of " + name + " is missing");
    return found->second;
}

int64_t Spec::divisor(const std::string &dim) const {
    for (const Dims *known : {&fixed, &multiples})
        if (auto at = known->find(dim); at != known->end()) return at->second;
    return 1;
}

bool Spec::serves(const Spec &wanted) const {
    auto same = [&](const auto &width) {
        auto at = wanted.fixed.find(width.first);
        return at != wanted.fixed.end() && at->second == width.second;
    };
    auto multiple = [&](const auto &width) { return wanted.divisor(width.first) % width.second == 0; };
    return choices == wanted.choices && std::all_of(fixed.begin(), fixed.end(), same) &&
           std::all_of(multiples.begin(), multiples.end(), multiple);
}

std::string Spec::text() const {
    std::string t;
    for (const auto &[name, value] : choices) t += (t.empty() ? "" : ",") + name + "=" + value;
    for (const auto &[name, value] : fixed) t += (t.empty() ? "" : ",") + name + "=" + std::to_string(value);
    for (const auto &[name, value] : multiples)
        t += (t.empty() ? "" : ",") + name + "%" + std::to_string(value);
    return t;
}

void check(const Contract &contract, const Spec &spec) {
    for (const auto &[name, legal] : contract.choices) {
        const std::string &value = spec.choice(name);
        if (std::find(legal.begin(), legal.end(), value) == legal.end())
            throw Error(contract.name, name + "=" + value + " is not a legal choice");
    }
    for (const auto &[name, value] : spec.choices)
        if (!contract.choices.count(name)) throw Error(contract.name, "has no choice named " + name);
    for (const Dims *known : {&spec.fixed, &spec.multiples})
        for (const auto &[name, value] : *known) {
            const Dimension &dim = contract.dim(name);
            if (!dim.width) throw Error(contract.name, name + " varies per call and cannot be fixed");
            if (value < std::max<int64_t>(dim.low, 1) || value > dim.high)
                throw Error(contract.name, name + "=" + std::to_string(value) + " is outside " +
                                               std::to_string(dim.low) + ".." + std::to_string(dim.high));
        }
}

} // namespace ks
