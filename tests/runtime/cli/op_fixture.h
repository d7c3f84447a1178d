// SPDX-License-Identifier: Apache-2.0
// `ks op` on arrays of random values, and what it wrote against what was wanted.
#pragma once
#include "tests/oracles/rounding.h"
#include "tests/runtime/cli/process.h"
#include <cmath>
#include <map>
#include <random>

namespace ks::test {

struct Value {
    std::vector<float> values;
    std::vector<int64_t> shape;
};
using Values = std::map<std::string, Value>;
using Doubles = std::vector<double>;

class Op : public Process {
  protected:
    Value random(std::vector<int64_t> shape, double low, double high) {
        int64_t n = 1;
        for (int64_t d : shape) n *= d;
        std::uniform_real_distribution<float> any(static_cast<float>(low), static_cast<float>(high));
        Value v{std::vector<float>(static_cast<size_t>(n)), std::move(shape)};
        for (float &f : v.values) f = any(engine_);
        return v;
    }
    void write(const std::string &name, const Values &values, const std::vector<int64_t> &starts = {},
               const std::string &integers = "seq_start") {
        std::vector<io::Tensor> tensors;
        for (const auto &[key, v] : values) tensors.push_back(io::tensor_of(key, v.values, v.shape));
        if (!starts.empty())
            tensors.push_back(io::tensor_of(integers, starts, {static_cast<int64_t>(starts.size())}));
        io::write_npz(path(name), tensors);
    }
    Said op(const std::string &rest) { return run("op " + rest + " --out " + quoted("out.npz")); }
    void expect(const std::string &name, const Doubles &wanted, const std::vector<int64_t> &shape,
                double tolerance = 1e-5) {
        io::Array a = io::NpzReader(path("out.npz")).read(name);
        EXPECT_EQ(a.shape, shape) << name;
        auto got = io::to_f32(a.tensor());
        ASSERT_EQ(got.size(), wanted.size()) << name;
        double top = 0;
        for (double w : wanted) top = std::max(top, std::abs(w));
        for (size_t i = 0; i < got.size(); i++)
            ASSERT_NEAR(got[i], wanted[i], tolerance * top) << name << "[" << i << "]";
    }
    void expect(const std::string &name, const std::vector<int> &wanted) {
        expect(name, Doubles(wanted.begin(), wanted.end()), {static_cast<int64_t>(wanted.size())});
        EXPECT_EQ(io::NpzReader(path("out.npz")).read(name).dtype, DType::i32) << name;
    }
    static Doubles wide(const Value &v) { return {v.values.begin(), v.values.end()}; }
    static Doubles stored(const Value &v, const std::string &type) {
        return oracle::rounded(wide(v), rounding_of(type));
    }
    static oracle::Rounding rounding_of(const std::string &type) {
        return type.find("bf16") != std::string::npos  ? oracle::Rounding::bf16
               : type.find("f16") != std::string::npos ? oracle::Rounding::f16
                                                       : oracle::Rounding::none;
    }
    void run_well(const std::string &rest) {
        Said said = op(rest);
        ASSERT_EQ(said.status, 0) << rest << ": " << said.err;
    }

    std::mt19937 engine_{20261124};
};

} // namespace ks::test
