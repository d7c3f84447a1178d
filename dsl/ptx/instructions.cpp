// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/instructions.h"
#include "dsl/lowering_pass.h"
#include "runtime/base/error.h"

namespace ks::ptx {
using namespace Halide;

namespace {

Expr product(const std::string &name, size_t columns, std::vector<Expr> a, const std::vector<Expr> &b,
             const Expr &parity) {
    if (a.size() != 2 * columns || b.size() != columns)
        throw Error(name, "takes " + std::to_string(2 * columns) + " and " + std::to_string(columns) +
                              " registers of its factors");
    a.insert(a.end(), b.begin(), b.end());
    a.push_back(cast<int32_t>(parity));
    return pseudo_call(UInt(64), name, a);
}

void expect_arguments(const PseudoCall &call, size_t count) {
    if (call.arguments.size() != count || call.result.empty())
        throw Error(call.name, "takes " + std::to_string(count) + " arguments and gives a result");
}

// d += a b for one step of 8 columns: fragments a0..a3, b0, b1.
std::string mma(const std::vector<std::string> &a, const std::vector<std::string> &b,
                const std::string &added) {
    return "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%d0,%d1,%d2,%d3},{" + a[0] + "," + a[1] +
           "," + a[2] + "," + a[3] + "},{" + b[0] + "," + b[1] + "}," + added + "; ";
}

// Arguments as registers: a literal is no operand of mma.
std::string to_registers(const PseudoCall &call, size_t count) {
    std::string text = ".reg .b32 %x<" + std::to_string(count) + ">; .reg .f32 %d<4>, %zero; ";
    for (size_t i = 0; i < count; i++)
        text += "mov.b32 %x" + std::to_string(i) + ", " + call.arguments[i] + "; ";
    return text + "mov.f32 %zero, 0f00000000; ";
}

const char *const from_zero = "{%zero,%zero,%zero,%zero}";
const char *const from_before = "{%d0,%d1,%d2,%d3}";

std::string expand_mma_k16(const PseudoCall &c) {
    expect_arguments(c, 13);
    const std::string &parity = c.arguments[12];
    if (parity != "0" && parity != "1") throw Error(c.name, "the parity of its column must be a constant");
    std::string odd = parity == "1" ? "{%d1,%d3}" : "{%d0,%d2}";
    return to_registers(c, 12) + mma({"%x0", "%x1", "%x2", "%x3"}, {"%x8", "%x9"}, from_zero) +
           mma({"%x4", "%x5", "%x6", "%x7"}, {"%x10", "%x11"}, from_before) + "mov.b64 " + c.result + ", " +
           odd + ";";
}

std::string expand_mma_k8(const PseudoCall &c) {
    expect_arguments(c, 7);
    return to_registers(c, 6) + ".reg .pred %odd; " +
           mma({"%x0", "%x1", "%x2", "%x3"}, {"%x4", "%x5"}, from_zero) + "setp.ne.b32 %odd, " +
           c.arguments[6] + ", 0; selp.f32 %d0, %d1, %d0, %odd; selp.f32 %d2, %d3, %d2, %odd; mov.b64 " +
           c.result + ", {%d0,%d2};";
}

// x in row g of A, y in row g + 8: leading bits in columns q, the rest in columns q + 4; B is all 1.
std::string expand_quad_sums(const PseudoCall &c) {
    expect_arguments(c, 2);
    std::string text = to_registers(c, 2) + ".reg .b32 %h<2>, %one; .reg .f32 %l<2>; ";
    for (const char *i : {"0", "1"})
        text += std::string("and.b32 %h") + i + ", %x" + i + ", 0xffffe000; sub.rn.f32 %l" + i + ", %x" + i +
                ", %h" + i + "; ";
    return text + "mov.b32 %one, 0x3f800000; " +
           mma({"%h0", "%h1", "%l0", "%l1"}, {"%one", "%one"}, from_zero) + "mov.b64 " + c.result +
           ", {%d0,%d2};";
}

std::string unary(const PseudoCall &c, const std::string &instruction) {
    expect_arguments(c, 1);
    return ".reg .f32 %x, %y; mov.b32 %x, " + c.arguments[0] + "; " + instruction + " %y, %x; mov.b32 " +
           c.result + ", %y;";
}

// x = n + r: n by adding 1.5 * 2^23, whose low bits are then the integer; 2^r by Horner's rule (coefficients
// of Maths::decay_exp2), 2^n in the exponent field. As a pseudo-call, because fast-math would fold (x +
// magic) - magic.
std::string expand_exp2_polynomial(const PseudoCall &c) {
    expect_arguments(c, 1);
    std::string text = ".reg .f32 %x, %t, %r, %p; .reg .b32 %n, %i; mov.b32 %x, " + c.arguments[0] +
                       "; max.f32 %x, %x, 0fC2FC0000; add.rn.f32 %t, %x, 0f4B400000; "
                       "sub.rn.f32 %r, %t, 0f4B400000; sub.rn.f32 %r, %x, %r; "
                       "fma.rn.f32 %p, %r, 0f3AADDD0A, 0f3C1E7544; ";
    for (const char *coefficient : {"0f3D635BA9", "0f3E75FCDE", "0f3F317215", "0f3F800000"})
        text += std::string("fma.rn.f32 %p, %p, %r, ") + coefficient + "; ";
    return text + "mov.b32 %n, %t; shl.b32 %n, %n, 23; mov.b32 %i, %p; add.s32 " + c.result + ", %n, %i;";
}

std::string expand_ballot(const PseudoCall &c) {
    expect_arguments(c, 1);
    return ".reg .b32 %x; .reg .pred %holds; mov.b32 %x, " + c.arguments[0] +
           "; setp.ne.s32 %holds, %x, 0; vote.sync.ballot.b32 " + c.result + ", %holds, 0xffffffff;";
}

std::string expand_warp_sum(const PseudoCall &c) {
    expect_arguments(c, 1);
    return ".reg .b32 %x; mov.b32 %x, " + c.arguments[0] + "; redux.sync.add.s32 " + c.result +
           ", %x, 0xffffffff;";
}

std::string expand_turn(const PseudoCall &c) {
    expect_arguments(c, 1);
    return "mov.b32 " + c.result + ", " + c.arguments[0] + ";";
}

std::string pack(const PseudoCall &c, const char *instruction) { // PTX names the high half first
    expect_arguments(c, 2);
    return ".reg .f32 %low, %high; mov.b32 %low, " + c.arguments[0] + "; mov.b32 %high, " + c.arguments[1] +
           "; " + instruction + " " + c.result + ", %high, %low;";
}

} // namespace

Expr mma_k16(const std::vector<Expr> &a, const std::vector<Expr> &b, const Expr &parity) {
    return product("ks_mma_k16", 4, a, b, parity);
}
Expr mma_k8(const std::vector<Expr> &a, const std::vector<Expr> &b, const Expr &parity) {
    return product("ks_mma_k8", 2, a, b, parity);
}
Expr quad_sums(const Expr &x, const Expr &y) { return pseudo_call(UInt(64), "ks_quad_sums", {x, y}); }
Expr tanh_approx(const Expr &x) { return pseudo_call(Float(32), "ks_tanh", {x}); }
Expr log2_approx(const Expr &x) { return pseudo_call(Float(32), "ks_lg2", {x}); }
Expr exp2_polynomial(const Expr &x) { return pseudo_call(Float(32), "ks_ex2p", {x}); }
Expr ballot(const Expr &condition) { return pseudo_call(UInt(32), "ks_ballot", {cast<int32_t>(condition)}); }
Expr warp_sum(const Expr &value) { return pseudo_call(Int(32), "ks_warp_sum", {cast<int32_t>(value)}); }
Expr pack_bf16(const Expr &low, const Expr &high) { return pseudo_call(UInt(32), "ks_bf16x2", {low, high}); }
Expr pack_f16(const Expr &low, const Expr &high) { return pseudo_call(UInt(32), "ks_f16x2", {low, high}); }

const std::map<std::string, Expansion> &instructions() {
    static const std::map<std::string, Expansion> all = {
        {"ks_mma_k16", expand_mma_k16},
        {"ks_mma_k8", expand_mma_k8},
        {"ks_quad_sums", expand_quad_sums},
        {"ks_tanh", [](const PseudoCall &c) { return unary(c, "tanh.approx.f32"); }},
        {"ks_lg2", [](const PseudoCall &c) { return unary(c, "lg2.approx.ftz.f32"); }},
        {"ks_ex2p", expand_exp2_polynomial},
        {"ks_ballot", expand_ballot},
        {"ks_warp_sum", expand_warp_sum},
        {"ks_turn", expand_turn}, // dsl/lower/turns_pass.h
        {"ks_bf16x2", [](const PseudoCall &c) { return pack(c, "cvt.rn.bf16x2.f32"); }},
        {"ks_f16x2", [](const PseudoCall &c) { return pack(c, "cvt.rn.f16x2.f32"); }},
    };
    return all;
}

} // namespace ks::ptx
