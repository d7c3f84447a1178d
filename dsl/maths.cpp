// SPDX-License-Identifier: Apache-2.0
#include "dsl/maths.h"
#include "dsl/ptx/instructions.h"
#include <vector>

namespace ks {
using namespace Halide;
using Internal::Call;

namespace {

Expr word(uint32_t bits) { return Expr(bits); }

// Fast-math may not fold (x + magic) - magic, nor may a strict_float() make the whole subtree strict.
Expr strict(Call::IntrinsicOp op, const Expr &a, const Expr &b) {
    return Call::make(a.type(), op, {a, b}, Call::PureIntrinsic);
}

Expr horner(const Expr &x, const std::vector<float> &coefficients) {
    Expr p = coefficients.back();
    for (size_t i = coefficients.size() - 1; i-- > 0;) p = p * x + coefficients[i];
    return p;
}

// Bit tests: with fast-math the compiler may assume that x != x is false.
Expr magnitude(const Expr &x) { return reinterpret<uint32_t>(x) & word(0x7fffffffu); }
Expr is_nan_bits(const Expr &x) { return magnitude(x) > word(0x7f800000u); }
Expr infinity() { return reinterpret<float>(word(0x7f800000u)); }
Expr quiet_nan() { return reinterpret<float>(word(0x7fc00000u)); }

// Names of libdevice: unlike LLVM's own intrinsics they do not change between versions. fast-math makes
// single instructions of them.
Expr libdevice(const std::string &name, const std::vector<Expr> &args) {
    return Call::make(Float(32), "__nv_" + name, args, Call::PureExtern);
}

// a b + c as one instruction: of the sum fast-math would take common factors out.
Expr fused(const Expr &a, const Expr &b, const Expr &c) { return libdevice("fmaf", {a, b, c}); }

} // namespace

Maths Maths::special_function_unit() {
    Maths m;
    m.unit_ = true;
    return m;
}

Maths Maths::special_function_unit_for_16_bits(bool tanh) {
    Maths m = special_function_unit();
    m.short_softplus_ = true;
    m.by_tanh_ = tanh;
    return m;
}

Expr Maths::quotient(const Expr &a, const Expr &b) const {
    return unit_ ? libdevice("fast_fdividef", {a, b}) : a / b;
}

// 2^x = p(r) * 2^n with n = round(x), r = x - n in [-1/2, 1/2]. The constant term of p is exactly 1, so that
// the error vanishes with x: slow states live there. Weighted minimax, degree 5.
Expr Maths::decay_exp2(Expr x) const {
    if (unit_) return libdevice("exp2f", {x});
    x = max(x, -126.f);
    Expr r, n;
    if (rounding_ == Rounding::round) {
        Expr whole = round(x);
        r = x - whole;
        n = cast<int32_t>(whole);
    } else {
        const float magic = 12582912.f; // 1.5 * 2^23: the sum's low bits are the integer
        Expr t = strict(Call::strict_add, x, magic);
        r = x - strict(Call::strict_sub, t, magic);
        n = reinterpret<int32_t>(t);
    }
    Expr p = horner(r, {1.f, 0.693146978f, 0.240222421f, 5.55073374e-2f, 9.67151264e-3f, 1.32647272e-3f});
    return reinterpret<float>(reinterpret<int32_t>(p) + (n << 23));
}

Expr Maths::exp2(const Expr &x) const {
    if (unit_) return decay_exp2(x);
    Expr inside = decay_exp2(min(x, 127.5f));
    // Above 127.5 the split is taken one octave lower, so that 2^n stays finite.
    Expr high = decay_exp2(clamp(x - 1.f, 0.f, 127.f)) * 2.f;
    Expr y = select(x > 127.f, high, inside);
    y = select(x >= 128.f, infinity(), x < -126.f, 0.f, y);
    return select(is_nan_bits(x), quiet_nan(), y);
}

Expr Maths::exp(const Expr &x) const { return exp2(x * log2_e); }

// log2(x) = e + log2(m), m in [sqrt(1/2), sqrt(2)); log2(1+r) = r q(r), degree 8, error 2.6e-8.
Expr Maths::log2(const Expr &x) const {
    Expr u = reinterpret<int32_t>(x);
    Expr e = (u - 0x3f3504f3) >> 23; // 0x3f3504f3 is sqrt(1/2)
    Expr r = reinterpret<float>(u - (e << 23)) - 1.f;
    Expr q = horner(r, {1.4426950216293335f, -0.7213473320007324f, 0.48091062903404236f, -0.3607036769390106f,
                        0.28791624307632446f, -0.23894493281841278f, 0.21571588516235352f,
                        -0.20726914703845978f, 0.12583549320697784f});
    Expr y = cast<float>(e) + r * q;
    y = select(magnitude(x) < word(0x00800000u), -infinity(), u < 0, quiet_nan(), y);
    return select(magnitude(x) == word(0x7f800000u) && u > 0, infinity(), is_nan_bits(x), quiet_nan(), y);
}

// log(1 + e^x) = max(x, 0) + e q(e), e = 2^(-|x| log2 e) in (0, 1]; q = log(1+e)/e, degree 8, error 3.3e-8.
// No division and no logarithm; the linear branch above 20 needs no test because e vanishes there.
Expr Maths::softplus(const Expr &x) const {
    Expr e = decay_exp2(abs(x) * -log2_e);
    Expr q = horner(e, {1.f, -0.49999648f, 0.333213226f, -0.248571639f, 0.19153656f, -0.137538046f,
                        0.0792045622f, -0.0300658087f, 0.00536482842f});
    return select(is_nan_bits(x), quiet_nan(), q * e + max(x, 0.f));
}

// For 16 bits in units of ln 2, where bias log2(e) is the same at every step and the one factor behind also
// says whether the step exists. Above 20 e^-x is nothing to x.
Expr Maths::step_size(const Expr &x, const Expr &bias, const Expr &applies, const Expr &exists) const {
    if (!short_softplus_) {
        Expr sum = x + bias;
        return select(exists, select(applies, softplus(sum), sum), 0.f);
    }
    Expr sum = fused(x, log2_e, bias * log2_e);
    return select(!applies || sum >= 20.f * log2_e, sum, ptx::log2_approx(1.f + exp2(sum))) *
           select(exists, ln_2, 0.f);
}

// Both signs through e = 2^(-|x| log2 e) <= 1: no overflow anywhere.
Expr Maths::sigmoid(const Expr &x) const {
    if (by_tanh_) return ptx::tanh_approx(x * 0.5f) * 0.5f + 0.5f;
    Expr e = decay_exp2(abs(x) * -log2_e);
    return select(is_nan_bits(x), quiet_nan(), quotient(select(x >= 0.f, 1.f, e), 1.f + e));
}

// On the special function unit without a test: NaN goes through both instructions.
Expr Maths::silu(const Expr &x) const {
    if (by_tanh_) { // one multiply less than x * sigmoid(x)
        Expr half = x * 0.5f;
        return fused(half, ptx::tanh_approx(half), half);
    }
    return unit_ ? quotient(x, 1.f + decay_exp2(x * -log2_e)) : x * sigmoid(x);
}

// x Phi(x) = max(x, 0) - |x| Phi(-|x|); Phi(-a) = e^(-a^2/2) R(t), t = 1/(1 + 0.3 a), R of degree 8 fitted to
// erfcx(a / sqrt 2) / 2 with relative error 6e-8.
Expr Maths::gelu_erf(const Expr &x) const {
    Expr a = abs(x), t = quotient(1.f, 1.f + 0.3f * a);
    Expr tail = horner(t, {7.373081189143704e-06f, 0.11948419362306595f, 0.12194535881280899f,
                           0.09458545595407486f, 0.14276628196239471f, -0.07684118300676346f,
                           0.22895316779613495f, -0.1693081557750702f, 0.03840753808617592f});
    // Beyond 64 the tail is 0 to f32; without the limit infinity would meet it as inf - inf.
    Expr y = max(x, 0.f) - min(a, 64.f) * tail * decay_exp2(x * x * (-0.5f * log2_e));
    return select(is_nan_bits(x), quiet_nan(), y);
}

Expr Maths::rsqrt(const Expr &x) const { return unit_ ? libdevice("rsqrtf", {x}) : 1.f / sqrt(x); }

} // namespace ks
