// SPDX-License-Identifier: Apache-2.0
// What the shared library shows: the C interface and nothing else, so that neither a kernel nor the launcher
// takes the place of another library's.
#include "dsl/ptx/program.h"
#include "runtime/kernels/op_table.h"
#include <gmock/gmock.h>
#include <sstream>

namespace ks {
namespace {

TEST(Exports, AreTheCInterface) {
    std::vector<std::string> interface = {"ks_create",  "ks_destroy",     "ks_isa",
                                          "ks_threads", "ks_status_text", "ks_last_error"};
    for (int i = 0; i < kernel_table.op_count; i++)
        for (const char *ending : {"", "_supported"})
            interface.push_back(std::string("ks_") + kernel_table.ops[i].name + ending);
    auto nm = ptx::run_program({KS_NM, "-D", "--defined-only", "--format=posix", KS_SHARED});
    ASSERT_EQ(nm.status, 0) << nm.output;
    std::vector<std::string> shown;
    std::istringstream lines(nm.output); // "name T address size"
    for (std::string line; std::getline(lines, line);) shown.push_back(line.substr(0, line.find(' ')));
    EXPECT_THAT(shown, testing::UnorderedElementsAreArray(interface));
}

} // namespace
} // namespace ks
