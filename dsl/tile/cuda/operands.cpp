// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/operands.h"
#include "runtime/base/error.h"
#include <regex>

namespace ks::tile {

namespace {

// What the line that sets a register takes its value from: a register, an address, a parameter.
std::string source_of(const std::string &ptx, const std::string &value) {
    static const std::regex escaped("[%$.]");
    std::regex line("\\n\\s*[a-z][\\w.:]*\\s+" + std::regex_replace(value, escaped, "\\$&") +
                    ",\\s*\\[?([%$\\w]+)");
    std::smatch found;
    if (!std::regex_search(ptx, found, line)) throw Error("PTX", "nothing sets " + value);
    return found[1];
}

} // namespace

int number(const ptx::PseudoCall &call, size_t argument) {
    const std::string &text = call.arguments.at(argument);
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
        throw Error("PTX", call.name + " is called with " + text + " where a constant is due");
    return std::stoi(text);
}

int parameter_behind(const std::string &ptx, const std::string &value) {
    constexpr int most_steps = 8; // load, conversions, address space
    std::string at = value;
    for (int i = 0; i < most_steps && at[0] == '%'; i++) at = source_of(ptx, at);
    std::smatch found;
    if (!std::regex_match(at, found, std::regex("[\\w$]+_param_(\\d+)")))
        throw Error("PTX", value + " does not come from a parameter, but from " + at);
    return std::stoi(found[1]);
}

std::map<calls::Operand, int> operands(const std::string &ptx) {
    std::map<calls::Operand, int> found;
    for (const ptx::PseudoCall &call : ptx::pseudo_calls(ptx))
        if (call.name == calls::operand)
            found[static_cast<calls::Operand>(number(call, 0))] = parameter_behind(ptx, call.arguments.at(1));
    if (!found.count(calls::Operand::a) || !found.count(calls::Operand::w))
        throw Error("PTX", "no operands of a tile operation: the tensorizing pass has not seen this kernel");
    return found;
}

} // namespace ks::tile
