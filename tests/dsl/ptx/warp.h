// SPDX-License-Identifier: Apache-2.0
// A warp that executes the few instructions which pseudo-calls expand to, written from the PTX ISA: all lanes
// in step, registers as bits.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ks::test {

inline float as_float(uint64_t bits) {
    float f;
    uint32_t low = static_cast<uint32_t>(bits);
    std::memcpy(&f, &low, 4);
    return f;
}
inline uint64_t as_bits(float f) {
    uint32_t low;
    std::memcpy(&low, &f, 4);
    return low;
}

class Warp {
  public:
    using Lanes = std::array<uint64_t, 32>;
    std::map<std::string, Lanes> registers;
    std::map<uint64_t, uint32_t> memory; // words that lanes have stored, by address

    void run(const std::string &text) {
        std::istringstream in(text);
        for (std::string one; std::getline(in, one, ';');) step(one);
    }

  private:
    // "op a, {b, c}, d": the names, braces taken away.
    static std::vector<std::string> split(const std::string &text) {
        std::vector<std::string> names(1);
        for (char c : text) {
            if (c == ' ' || c == '\t' || c == '\n' || c == '{' || c == '}' || c == ',') {
                if (!names.back().empty()) names.emplace_back();
            } else {
                names.back() += c;
            }
        }
        if (names.back().empty()) names.pop_back();
        return names;
    }
    Lanes read(const std::string &name) const {
        if (name[0] == '%') return registers.at(name);
        Lanes all;
        bool real = name.rfind("0f", 0) == 0; // bits; integers may be hexadecimal too
        all.fill(real ? std::stoull(name.substr(2), nullptr, 16) : std::stoull(name, nullptr, 0));
        return all;
    }
    template <typename F>
    void each(const std::string &to, F f) {
        Lanes out;
        for (size_t lane = 0; lane < 32; lane++) out[lane] = f(lane);
        registers[to] = out;
    }
    // The sum over the lanes, for all of them.
    template <typename F>
    void together(const std::string &to, const Lanes &in, F part) {
        uint64_t sum = 0;
        for (size_t lane = 0; lane < 32; lane++) sum += part(lane, in[lane]);
        registers[to].fill(sum & 0xffffffffu);
    }
    void step(const std::string &text) {
        std::vector<std::string> w = split(text);
        if (w.empty() || w[0] == ".reg") return;
        std::vector<Lanes> in;
        if (w[0][0] == '@') return store(w);
        const std::string &op = w[0];
        if (op.rfind("mma.", 0) == 0) return mma(w);
        for (size_t i = 2; i < w.size(); i++) in.push_back(read(w[i]));
        auto f = [&](size_t i, size_t lane) { return as_float(in[i][lane]); };
        if (op == "mov.b64" && in.size() == 2)
            return each(w[1], [&](size_t l) { return in[0][l] | in[1][l] << 32; });
        if (op.rfind("mov", 0) == 0) return each(w[1], [&](size_t l) { return in[0][l]; });
        if (op == "max.f32")
            return each(w[1], [&](size_t l) { return as_bits(std::fmax(f(0, l), f(1, l))); });
        if (op == "add.rn.f32") return each(w[1], [&](size_t l) { return as_bits(f(0, l) + f(1, l)); });
        if (op == "sub.rn.f32") return each(w[1], [&](size_t l) { return as_bits(f(0, l) - f(1, l)); });
        if (op == "fma.rn.f32")
            return each(w[1], [&](size_t l) { return as_bits(std::fma(f(0, l), f(1, l), f(2, l))); });
        if (op == "and.b32") return each(w[1], [&](size_t l) { return in[0][l] & in[1][l]; });
        if (op == "shl.b32")
            return each(w[1], [&](size_t l) { return (in[0][l] << in[1][l]) & 0xffffffffu; });
        if (op == "add.s32") return each(w[1], [&](size_t l) { return (in[0][l] + in[1][l]) & 0xffffffffu; });
        if (op == "and.b32") return each(w[1], [&](size_t l) { return in[0][l] & in[1][l]; });
        if (op == "add.s64") return each(w[1], [&](size_t l) { return in[0][l] + in[1][l]; });
        if (op == "mul.wide.s32")
            return each(w[1], [&](size_t l) {
                int64_t a = static_cast<int32_t>(in[0][l]), b = static_cast<int32_t>(in[1][l]);
                return static_cast<uint64_t>(a * b);
            });
        if (op == "shfl.sync.bfly.b32" && w[4] == "31")
            return each(w[1], [&](size_t l) { return in[0][l ^ in[1][l]]; });
        if (op == "setp.ne.b32" || op == "setp.ne.s32")
            return each(w[1], [&](size_t l) { return in[0][l] != in[1][l]; });
        if (op == "selp.f32" || op == "selp.b32")
            return each(w[1], [&](size_t l) { return in[2][l] ? in[0][l] : in[1][l]; });
        if (op == "vote.sync.ballot.b32")
            return together(w[1], in[0], [](size_t l, uint64_t x) { return x << l; });
        if (op == "redux.sync.add.s32") return together(w[1], in[0], [](size_t, uint64_t x) { return x; });
        throw std::runtime_error("the warp does not know " + text);
    }
    static double tf32(uint64_t bits) { return static_cast<double>(as_float(bits & 0xffffe000u)); } // cut off
    // "@p st.global.v4.b32 [a+offset], {...}", by the lanes whose p holds.
    void store(const std::vector<std::string> &w) {
        size_t plus = w.at(2).find('+');
        if (w.at(1) != "st.global.v4.b32" || plus == std::string::npos)
            throw std::runtime_error("the warp does not know " + w[1] + " " + w[2]);
        Lanes due = read(w[0].substr(1)), at = read(w[2].substr(1, plus - 1));
        uint64_t offset = std::stoull(w[2].substr(plus + 1));
        for (size_t lane = 0; lane < 32; lane++)
            for (size_t i = 0; due[lane] && i < 4; i++) {
                uint64_t address = at[lane] + offset + 4 * i;
                if (i == 0 && address % 16) throw std::runtime_error("a store that is not aligned");
                if (!memory.emplace(address, static_cast<uint32_t>(read(w[3 + i])[lane])).second)
                    throw std::runtime_error("two stores to one address");
            }
    }
    // m16n8k8, tf32: lane 4g + q has a0..a3 = A(g, q), A(g+8, q), A(g, q+4), A(g+8, q+4); b0, b1 = B(q, g),
    // B(q+4, g); d0..d3 = D(g, 2q), D(g, 2q+1), D(g+8, 2q), D(g+8, 2q+1).
    void mma(const std::vector<std::string> &w) {
        double a[16][8], b[8][8];
        for (size_t lane = 0; lane < 32; lane++) {
            size_t g = lane / 4, q = lane % 4;
            auto at = [&](size_t i) { return tf32(read(w[i])[lane]); };
            a[g][q] = at(5), a[g + 8][q] = at(6), a[g][q + 4] = at(7), a[g + 8][q + 4] = at(8);
            b[q][g] = at(9), b[q + 4][g] = at(10);
        }
        std::array<Lanes, 4> added;
        for (size_t i = 0; i < 4; i++) added[i] = read(w[11 + i]);
        for (size_t i = 0; i < 4; i++)
            each(w[1 + i], [&](size_t lane) {
                size_t row = lane / 4 + 8 * (i / 2), column = lane % 4 * 2 + i % 2;
                double sum = static_cast<double>(as_float(added[i][lane]));
                for (size_t k = 0; k < 8; k++) sum += a[row][k] * b[k][column];
                return as_bits(static_cast<float>(sum));
            });
    }
};

} // namespace ks::test
