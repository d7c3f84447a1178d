// SPDX-License-Identifier: Apache-2.0
#include "dsl/storage.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;

Storage storage_named(const std::string &name) {
    if (name == "f32") return Storage::f32;
    if (name == "bf16") return Storage::bf16;
    if (name == "f16") return Storage::f16;
    throw Error("storage type " + name, "not one of f32, bf16, f16");
}

const char *name_of(Storage s) { return s == Storage::f32 ? "f32" : s == Storage::bf16 ? "bf16" : "f16"; }

int bytes_of(Storage s) { return s == Storage::f32 ? 4 : 2; }

Type buffer_type(Storage s) { return s == Storage::f32 ? Type(Float(32)) : Type(UInt(16)); }

namespace {

Expr word(uint32_t bits) { return Expr(bits); }

Expr narrow_bf16(const Expr &f) {
    Expr u = reinterpret<uint32_t>(f);
    Expr rounded = (u + word(0x7fffu) + ((u >> 16) & word(1u))) >> 16;
    Expr quiet_nan = (u >> 16) | word(0x40u);
    return cast<uint16_t>(select((u & word(0x7fffffffu)) > word(0x7f800000u), quiet_nan, rounded));
}

} // namespace

Expr widen(Storage s, const Expr &e) {
    if (s == Storage::f32) return e;
    if (s == Storage::bf16) return reinterpret<float>(cast<uint32_t>(e) << 16);
    return cast<float>(reinterpret<float16_t>(e)); // the instruction where the target has one (x86: f16c)
}

Expr widen_for_dot(const Expr &e) { return cast<float>(reinterpret<bfloat16_t>(e)); }

Expr narrow(Storage s, const Expr &e) {
    if (s == Storage::f32) return e;
    return s == Storage::bf16 ? narrow_bf16(e) : reinterpret<uint16_t>(cast<float16_t>(e));
}

} // namespace ks
