// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/tile_text.h"
#include "dsl/tile/cuda/calls.h"
#include "dsl/tile/cuda/shared_layout.h"
#include "dsl/tile/cuda/wgmma.h"
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

std::map<calls::Operand, int> operands(const std::string &ptx) {
    std::map<calls::Operand, int> found;
    for (const ptx::PseudoCall &call : ptx::pseudo_calls(ptx))
        if (call.name == calls::operand)
            found[static_cast<calls::Operand>(wgmma::number(call, 0))] =
                parameter_behind(ptx, call.arguments.at(1));
    if (!found.count(calls::Operand::a) || !found.count(calls::Operand::w))
        throw Error("PTX", "no operands of a tile operation: the tensorizing pass has not seen this kernel");
    return found;
}

std::string parameter_name(const std::string &ptx, int number) {
    std::smatch found;
    if (!std::regex_search(ptx, found, std::regex("\\.entry ([\\w$]+)"))) throw Error("PTX", "has no kernel");
    return found[1].str() + "_param_" + std::to_string(number);
}

cuda::TileLaunch launch_of(const TileOp &op, const std::map<calls::Operand, int> &argument) {
    cuda::TileLaunch launch{static_cast<uint32_t>(SharedLayout(op).launch_bytes()), 0, {}};
    auto add = [&](calls::Operand which, int columns, int box_rows) {
        launch.map[launch.maps++] = {static_cast<uint32_t>(argument.at(which)),
                                     static_cast<uint32_t>(columns), static_cast<uint32_t>(box_rows)};
    };
    if (!op.gathered) add(calls::Operand::a, op.K, op.rows());
    add(calls::Operand::w, op.K, op.product_columns());
    if (op.staged_store) add(calls::Operand::out, 0, slab_rows);
    return launch;
}

} // namespace

int parameter_behind(const std::string &ptx, const std::string &value) {
    constexpr int most_steps = 8; // load, conversions, address space
    std::string at = value;
    for (int i = 0; i < most_steps && at[0] == '%'; i++) at = source_of(ptx, at);
    std::smatch found;
    if (!std::regex_match(at, found, std::regex("[\\w$]+_param_(\\d+)")))
        throw Error("PTX", value + " does not come from a parameter, but from " + at);
    return std::stoi(found[1]);
}

TileText tile_text(const std::string &halide_ptx, const TileOp &op,
                   const std::map<std::string, ptx::Expansion> &others) {
    auto argument = operands(halide_ptx);
    std::string a = parameter_name(halide_ptx, argument.at(calls::Operand::a));
    std::string ptx = wgmma::with_entry(halide_ptx, op);
    std::map<std::string, ptx::Expansion> expansions = wgmma::expansions(op, a);
    expansions.insert(others.begin(), others.end());
    return {ptx::expand_pseudo_calls(ptx, expansions), launch_of(op, argument)};
}

} // namespace ks::tile
