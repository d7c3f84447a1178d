// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/arithmetic.h"
#include "tests/emulator/program.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace ks::emulator {

float from_bf16(uint16_t bits) { return value_of<float>(uint64_t{bits} << 16); }
float from_f16(uint16_t bits) { return static_cast<float>(value_of<_Float16>(bits)); }
uint16_t to_bf16(float x) {
    if (std::isnan(x)) return 0x7fff;
    auto bits = static_cast<uint32_t>(bits_of(x));
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
uint16_t to_f16(float x) {
    return static_cast<uint16_t>(std::isnan(x) ? 0x7fff : bits_of(static_cast<_Float16>(x)));
}

namespace {

using Table = std::map<std::string, Arithmetic>;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s32 = int32_t;
using s64 = int64_t;

template <typename F, typename R, typename... A, size_t... i>
Arithmetic each_lane(F f, R (*)(A...), std::index_sequence<i...>) {
    auto compute = [f](Lanes &to, const Source *from, u32 lanes) {
        for_lanes(lanes, [&](unsigned lane) { to[lane] = bits_of<R>(f(value_of<A>(from[i][lane])...)); });
    };
    return {compute, sizeof...(A)};
}
template <typename R, typename... A>
auto indexes(R (*)(A...)) {
    return std::index_sequence_for<A...>();
}
// Of a function of one thread's values, whose types say how registers are read.
template <typename F>
Arithmetic lanewise(F f) {
    return each_lane(f, +f, indexes(+f));
}

template <typename T>
void comparisons(Table &t, const std::string &type) {
    t["setp.eq" + type] = lanewise([](T a, T b) { return a == b; });
    t["setp.lt" + type] = lanewise([](T a, T b) { return a < b; });
    t["setp.le" + type] = lanewise([](T a, T b) { return a <= b; });
    t["setp.gt" + type] = lanewise([](T a, T b) { return a > b; });
    t["setp.ge" + type] = lanewise([](T a, T b) { return a >= b; });
    t["setp.ne" + type] = lanewise([](T a, T b) { return a < b || a > b; });
}

// What signedness is nothing to.
template <typename U>
void words(Table &t, const std::string &type) {
    t["mov" + type] = lanewise([](U a) { return a; });
    t["add" + type] = lanewise([](U a, U b) { return static_cast<U>(a + b); });
    t["sub" + type] = lanewise([](U a, U b) { return static_cast<U>(a - b); });
    t["mul.lo" + type] = lanewise([](U a, U b) { return static_cast<U>(u64{a} * b); });
    t["mad.lo" + type] = lanewise([](U a, U b, U c) { return static_cast<U>(u64{a} * b + c); });
    t["neg" + type] = lanewise([](U a) { return static_cast<U>(0 - a); });
    t["and" + type] = lanewise([](U a, U b) { return static_cast<U>(a & b); });
    t["or" + type] = lanewise([](U a, U b) { return static_cast<U>(a | b); });
    t["xor" + type] = lanewise([](U a, U b) { return static_cast<U>(a ^ b); });
    t["not" + type] = lanewise([](U a) { return static_cast<U>(~a); });
    t["shl" + type] =
        lanewise([](U a, u32 n) { return static_cast<U>(n < 8 * sizeof(U) ? u64{a} << n : 0); });
    t["selp" + type] = lanewise([](U a, U b, bool p) { return p ? a : b; });
    comparisons<U>(t, type);
}

// Quotients by 0 are whatever they are: all bits here.
template <typename T>
void quotients(Table &t, const std::string &type) {
    t["div" + type] = lanewise([](T a, T b) { return static_cast<T>(b ? s64{a} / s64{b} : -1); });
    t["rem" + type] = lanewise([](T a, T b) { return static_cast<T>(b ? s64{a} % s64{b} : -1); });
}

template <typename T>
void ordered(Table &t, const std::string &type) {
    comparisons<T>(t, type);
    t["min" + type] = lanewise([](T a, T b) { return std::min(a, b); });
    t["max" + type] = lanewise([](T a, T b) { return std::max(a, b); });
    t["shr" + type] = lanewise([](T a, u32 n) {
        return static_cast<T>(n < 8 * sizeof(T) ? a >> n : a < 0 ? -1 : 0);
    });
}

template <typename U, typename S>
void integers(Table &t, const std::string &bits) {
    words<U>(t, ".b" + bits), words<U>(t, ".u" + bits), words<U>(t, ".s" + bits);
    ordered<U>(t, ".u" + bits), ordered<S>(t, ".s" + bits);
    t["shr.b" + bits] = t["shr.u" + bits];
}

template <typename T>
void reals(Table &t, const std::string &type) {
    for (const char *rounding : {"", ".rn"}) {
        t["add" + (rounding + type)] = lanewise([](T a, T b) { return a + b; });
        t["sub" + (rounding + type)] = lanewise([](T a, T b) { return a - b; });
        t["mul" + (rounding + type)] = lanewise([](T a, T b) { return a * b; });
    }
    t["fma.rn" + type] = lanewise([](T a, T b, T c) { return std::fma(a, b, c); });
    t["div.rn" + type] = lanewise([](T a, T b) { return a / b; });
    t["rcp.rn" + type] = lanewise([](T a) { return 1 / a; });
    t["sqrt.rn" + type] = lanewise([](T a) { return std::sqrt(a); });
    t["neg" + type] = lanewise([](T a) { return -a; });
    t["abs" + type] = lanewise([](T a) { return std::fabs(a); });
    t["min" + type] = lanewise([](T a, T b) { return std::fmin(a, b); });
    t["max" + type] = lanewise([](T a, T b) { return std::fmax(a, b); });
    comparisons<T>(t, type); // false beside NaN
    t["setp.equ" + type] = lanewise([](T a, T b) { return !(a < b || a > b); });
    t["setp.neu" + type] = lanewise([](T a, T b) { return a != b; });
    t["setp.ltu" + type] = lanewise([](T a, T b) { return !(a >= b); });
    t["setp.leu" + type] = lanewise([](T a, T b) { return !(a > b); });
    t["setp.gtu" + type] = lanewise([](T a, T b) { return !(a <= b); });
    t["setp.geu" + type] = lanewise([](T a, T b) { return !(a < b); });
    t["setp.num" + type] = lanewise([](T a, T b) { return !std::isunordered(a, b); });
    t["setp.nan" + type] = lanewise([](T a, T b) { return std::isunordered(a, b); });
}

float flushed(float x) {
    return std::fabs(x) < std::numeric_limits<float>::min() ? std::copysign(0.f, x) : x;
}

void special_functions(Table &t) {
    t["fma.rn.ftz.f32"] = lanewise([](float a, float b, float c) {
        return flushed(std::fma(flushed(a), flushed(b), flushed(c)));
    });
    t["ex2.approx.ftz.f32"] = lanewise([](float a) { return flushed(std::exp2(flushed(a))); });
    t["lg2.approx.ftz.f32"] = lanewise([](float a) { return std::log2(flushed(a)); });
    t["rcp.approx.ftz.f32"] = lanewise([](float a) { return flushed(1 / flushed(a)); });
    t["tanh.approx.f32"] = lanewise([](float a) { return std::tanh(a); });
    t["div.approx.ftz.f32"] = lanewise([](float a, float b) { // through 1 / b, which is too small there
        bool vanishes = std::fabs(b) > 0x1p126f && std::isfinite(b);
        return vanishes ? (std::isinf(a) ? NAN : std::copysign(0.f, a) * std::copysign(1.f, b))
                        : flushed(flushed(a) / flushed(b));
    });
}

void conversions(Table &t) {
    t["cvt.s64.s32"] = lanewise([](s32 a) { return s64{a}; });
    t["cvt.u64.u32"] = lanewise([](u32 a) { return u64{a}; });
    t["cvt.u64.u16"] = lanewise([](u16 a) { return u64{a}; });
    t["cvt.u32.u64"] = lanewise([](u64 a) { return static_cast<u32>(a); });
    t["cvt.u32.u16"] = lanewise([](u16 a) { return u32{a}; });
    t["cvt.u16.u32"] = lanewise([](u32 a) { return static_cast<u16>(a); });
    t["cvt.rn.f32.s32"] = lanewise([](s32 a) { return static_cast<float>(a); });
    t["cvt.rn.f64.s32"] = lanewise([](s32 a) { return static_cast<double>(a); });
    t["cvt.rn.f32.f64"] = lanewise([](double a) { return static_cast<float>(a); });
    t["cvt.f64.f32"] = lanewise([](float a) { return static_cast<double>(a); });
    t["cvt.f64.f16"] = lanewise([](u16 a) { return static_cast<double>(from_f16(a)); });
    t["cvt.f32.f16"] = lanewise([](u16 a) { return from_f16(a); });
    t["cvt.rn.f16.f32"] = lanewise([](float a) { return to_f16(a); });
    t["cvt.rn.bf16.f32"] = lanewise([](float a) { return to_bf16(a); });
    t["cvt.rn.f16x2.f32"] = lanewise([](float a, float b) { return u32{to_f16(a)} << 16 | to_f16(b); });
    t["cvt.rn.bf16x2.f32"] = lanewise([](float a, float b) { return u32{to_bf16(a)} << 16 | to_bf16(b); });
    t["cvta.to.global.u64"] = lanewise([](u64 a) { return a; });
    t["cvta.param.u64"] = lanewise([](u64 a) { return a + parameter_window; });
}

u32 permuted(u32 a, u32 b, u32 selectors) {
    u64 bytes = u64{b} << 32 | a;
    u32 all = 0;
    for (unsigned i = 0; i < 4; i++) {
        u32 selector = selectors >> 4 * i, byte = static_cast<u32>(bytes >> 8 * (selector & 7)) & 0xff;
        if (selector & 8) byte = byte & 0x80 ? 0xff : 0; // its sign in every bit
        all |= byte << 8 * i;
    }
    return all;
}

u32 extracted(u32 a, u32 from, u32 count) {
    u64 shifted = u64{a} >> std::min(from & 0xff, 32u);
    return static_cast<u32>(shifted & ((u64{1} << std::min(count & 0xff, 32u)) - 1));
}

Table table() {
    Table t;
    integers<u16, int16_t>(t, "16");
    integers<u32, s32>(t, "32");
    integers<u64, s64>(t, "64");
    quotients<u32>(t, ".u32"), quotients<s32>(t, ".s32");
    t["mul.wide.s32"] = lanewise([](s32 a, s32 b) { return s64{a} * b; });
    t["mul.wide.u32"] = lanewise([](u32 a, u32 b) { return u64{a} * b; });
    t["mul.wide.u16"] = lanewise([](u16 a, u16 b) { return u32{a} * b; });
    t["mul.hi.s32"] = lanewise([](s32 a, s32 b) { return static_cast<s32>(s64{a} * b >> 32); });
    t["mul.hi.u32"] = lanewise([](u32 a, u32 b) { return static_cast<u32>(u64{a} * b >> 32); });
    t["popc.b32"] = lanewise([](u32 a) { return static_cast<u32>(__builtin_popcount(a)); });
    t["prmt.b32"] = lanewise(permuted);
    t["bfe.u32"] = lanewise(extracted);
    t["bfe.s32"] = lanewise([](u32 a, u32 from, u32 count) {
        const u32 bits = extracted(a, from, count), sign = extracted(a, std::min(from + count - 1, 31u), 1);
        return count && sign && count < 32 ? bits | ~0u << count : bits;
    });
    t["and.pred"] = lanewise([](bool a, bool b) { return a && b; });
    t["or.pred"] = lanewise([](bool a, bool b) { return a || b; });
    t["xor.pred"] = lanewise([](bool a, bool b) { return a != b; });
    t["not.pred"] = lanewise([](bool a) { return !a; });
    t["mov.pred"] = lanewise([](bool a) { return a; });
    t["mov.f32"] = t["mov.b32"], t["mov.f64"] = t["mov.b64"];
    t["selp.f32"] = t["selp.b32"], t["selp.f64"] = t["selp.b64"];
    reals<float>(t, ".f32"), reals<double>(t, ".f64");
    special_functions(t);
    conversions(t);
    return t;
}

} // namespace

const Arithmetic *arithmetic(const std::string &name) {
    static const Table known = table();
    auto found = known.find(name);
    return found == known.end() ? nullptr : &found->second;
}

} // namespace ks::emulator
