// SPDX-License-Identifier: Apache-2.0
// Kernels of the form `rows` of a product (schedules/cuda/product_forms.h), known without a GPU: tests are
// instantiated with a table of specs.
#pragma once
#include "schedules/registry.h"
#include "tests/support/device_text.h"
#include <gtest/gtest.h>
#include <regex>

namespace ks::test {

struct FewRowsCase {
    const char *op;
    Spec spec;
};

inline std::ostream &operator<<(std::ostream &out, const FewRowsCase &c) {
    return out << c.op << " " << c.spec.text();
}

class FewRows : public testing::TestWithParam<FewRowsCase> {
  protected:
    const Spec &spec() const { return GetParam().spec; }
    Space space() const { return op_.space(spec(), target_); }
    std::string text(const Knobs &knobs) const { return device_text(op_.build(spec(), knobs, target_)); }

    // A sample of the form's points, the same every time, each of them a kernel on every architecture.
    void expect_points_are_kernels() const {
        if (!ptxas_) GTEST_SKIP() << "there is no ptxas on this machine";
        std::vector<Knobs> form;
        for (const Knobs &k : space().all())
            if (k["form"] == "rows") form.push_back(k);
        for (size_t i = 0; i < 6; i++) {
            const Knobs &k = form.at(i * (form.size() - 1) / 5);
            SCOPED_TRACE(k.text());
            std::string made = text(k);
            for (const std::string &arch : ptx::build_for({}, *ptxas_).archs)
                EXPECT_EQ(ptxas_->assemble(made, {arch, 0}).kernels.size(), 1u) << arch;
        }
    }

    // As many loads of 16 bytes, all ahead in the cache; nothing in local memory, and no more registers.
    void expect_wide_loads(const Knobs &k, int loads, int registers) const {
        if (!ptxas_) GTEST_SKIP() << "there is no ptxas on this machine";
        std::string made = text(k);
        const std::regex wide("ld\\.global\\.nc\\.L2::128B\\.(v4\\.[bf]32|v2\\.b64)");
        EXPECT_EQ(std::distance(std::sregex_iterator(made.begin(), made.end(), wide), {}), loads);
        ptx::Resources used = ptxas_->assemble(made, {"sm_90", 0}).kernels.at(0);
        EXPECT_EQ(used.stack + used.spill_stores + used.spill_loads, 0);
        EXPECT_LE(used.registers, registers);
    }

  private:
    const Op &op_ = op_named(GetParam().op);
    Halide::Target target_ = kernel_target("cuda");
    std::optional<ptx::Ptxas> ptxas_ = ptx::Ptxas::find();
};

} // namespace ks::test
