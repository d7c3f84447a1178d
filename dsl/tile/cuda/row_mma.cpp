// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/row_mma.h"
#include "dsl/lowering_pass.h"
#include "runtime/base/error.h"

namespace ks::tile {
using namespace Halide;

namespace {

const Type fragment = UInt(128);
const char *const start_call = "ks_row_mma_start", *const element_call = "ks_row_mma_element";
std::string mma_call(const std::string &type, size_t words) {
    return "ks_row_mma_" + type + "_" + std::to_string(words);
}

// The two registers of "{%rd1, %rd2}".
std::pair<std::string, std::string> halves(const std::string &registers) {
    size_t comma = registers.find(',');
    if (registers.size() < 2 || registers.front() != '{' || comma == std::string::npos)
        throw Error("row mma", registers + " is no fragment");
    return {registers.substr(1, comma - 1), registers.substr(comma + 1, registers.size() - comma - 2)};
}

void expect(const ptx::PseudoCall &call, size_t arguments) {
    if (call.arguments.size() != arguments || call.result.empty())
        throw Error(call.name, "takes " + std::to_string(arguments) + " arguments and gives a result");
}

// One instruction for every two words of each operand.
std::string expand_mma(const ptx::PseudoCall &call, const std::string &type, int words) {
    expect(call, static_cast<size_t>(1 + 3 * words));
    auto [first, second] = halves(call.arguments[0]);
    std::string text = ".reg .f32 %sum<4>; .reg .b32 %word<" + std::to_string(3 * words) +
                       ">; mov.b64 {%sum0, %sum1}, " + first + "; mov.b64 {%sum2, %sum3}, " + second + ";";
    auto word = [&](int operand, int i) { return "%word" + std::to_string(operand * words + i); };
    for (int i = 0; i < 3 * words; i++) // a literal is no operand of mma
        text += " mov.b32 " + word(0, i) + ", " + call.arguments[static_cast<size_t>(1 + i)] + ";";
    for (int i = 0; i < words; i += 2)
        text += " mma.sync.aligned.m16n8k16.row.col.f32." + type + "." + type +
                ".f32 {%sum0, %sum1, %sum2, %sum3}, {" + word(0, i) + ", " + word(1, i) + ", " +
                word(0, i + 1) + ", " + word(1, i + 1) + "}, {" + word(2, i) + ", " + word(2, i + 1) +
                "}, {%sum0, %sum1, %sum2, %sum3};";
    auto [to, and_to] = halves(call.result);
    return text + " mov.b64 " + to + ", {%sum0, %sum1}; mov.b64 " + and_to + ", {%sum2, %sum3};";
}

std::string expand_element(const ptx::PseudoCall &call) {
    expect(call, 3);
    auto [low, high] = halves(call.arguments[0]);
    const std::string &half = call.arguments[1], &odd = call.arguments[2];
    if ((half != "0" && half != "1") || (odd != "0" && odd != "1"))
        throw Error(call.name, "the place in the fragment must be a constant");
    return ".reg .b32 %other; mov.b64 {" +
           (odd == "0" ? call.result + ", %other" : "%other, " + call.result) + "}, " +
           (half == "0" ? low : high) + ";";
}

std::string expand_start(const ptx::PseudoCall &call) {
    expect(call, 3);
    auto [low, high] = halves(call.result);
    return ".reg .b32 %low, %high; mov.b32 %low, " + call.arguments[1] + "; mov.b32 %high, " +
           call.arguments[2] + "; mov.b64 " + low + ", {%low, %low}; mov.b64 " + high + ", {%high, %high};";
}

} // namespace

Expr row_mma_start(const Expr &lane, const Expr &low, const Expr &high) {
    return pseudo_call(fragment, start_call, {lane, low, high});
}

Expr row_mma(Storage storage, const Expr &sums, const std::vector<Expr> &low, const std::vector<Expr> &high,
             const std::vector<Expr> &x) {
    std::vector<Expr> arguments = {sums};
    for (const auto &words : {low, high, x}) arguments.insert(arguments.end(), words.begin(), words.end());
    return pseudo_call(fragment, mma_call(name_of(storage), x.size()), arguments);
}

Expr row_mma_element(const Expr &sums, const Expr &half, const Expr &odd) {
    return pseudo_call(Float(32), element_call, {sums, half, odd});
}

std::map<std::string, ptx::Expansion> row_mma_expansions() {
    std::map<std::string, ptx::Expansion> all = {{start_call, expand_start}, {element_call, expand_element}};
    for (const std::string type : {"bf16", "f16"})
        for (int words : {2, 4})
            all[mma_call(type, static_cast<size_t>(words))] = [=](const ptx::PseudoCall &call) {
                return expand_mma(call, type, words);
            };
    return all;
}

} // namespace ks::tile
