// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/kernels/planted/planted_pack.h"

namespace ks::test {

std::string planted_ran;
std::function<void(void **)> planted_kernel;

} // namespace ks::test

namespace ks {
namespace {

constexpr int64_t any = int64_t{1} << 20;
const DimInfo dims[] = {{"T", 1, any}, {"D", 1, any}, {"N", 1, 256}};
const char *const storages[] = {"bf16", "f16", nullptr};
const ChoiceInfo choices[] = {{"io", storages}};
const OperandInfo operands[] = {
    {"u", OperandRole::input, true, false, 2, 2, {0, 1}, {}, 0, -1},
    {"A", OperandRole::input, false, false, 2, 0, {2, 1}, {}, 0, -1},
    {"state", OperandRole::in_place, false, true, 2, 0, {2, 1}, {}, 0, -1},
    {"y", OperandRole::output, true, false, 2, 2, {0, 1}, {}, 0, -1},
};
const OpInfo op = {"planted", 1, 3, 1, 4, 0, dims, choices, operands, nullptr, -1, 1, 0, false};

template <const char *const *name>
int run(void **arguments) {
    test::planted_ran = *name;
    if (test::planted_kernel) test::planted_kernel(arguments);
    return 0;
}
constexpr const char *tuned = "tuned", *usual = "usual", *base = "base";

#define KS_PLANTED(isa)                                                                                      \
    {0, isa, {0}, {1, 16, 16}, {any, 16, 16}, {1, 1, 1}, 1, INT64_MAX, nullptr, false, "", run<&tuned>},     \
        {0, isa, {0}, {1, 1, 16}, {any, any, 16}, {1, 8, 1}, 1, INT64_MAX, nullptr, false, "", run<&usual>}, \
    {                                                                                                        \
        0, isa, {0}, {1, 1, 1}, {any, any, 256}, {1, 1, 1}, 1, INT64_MAX, nullptr, true, "", run<&base>      \
    }
const KernelInfo kernels[] = {KS_PLANTED("avx2"), KS_PLANTED("cuda")};
#undef KS_PLANTED

} // namespace

const KernelTable kernel_table = {&op, 1, kernels, 6};

} // namespace ks
