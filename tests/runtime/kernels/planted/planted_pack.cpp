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
constexpr const char *tuned = "tuned", *hopper = "hopper", *usual = "usual", *base = "base";

struct Box {
    int64_t low[3], high[3], multiple[3];
};
constexpr Box of_16 = {{1, 16, 16}, {any, 16, 16}, {1, 1, 1}},
              of_64s = {{1, 1, 16}, {any, any, 16}, {1, 64, 1}},
              of_8s = {{1, 1, 16}, {any, any, 16}, {1, 8, 1}},
              of_all = {{1, 1, 1}, {any, any, 256}, {1, 1, 1}};

template <const char *const *name>
KernelInfo planted(const char *isa, const Box &box, int capability = 0) {
    KernelInfo k{0, isa, {0}, {}, {}, {}, 1, INT64_MAX, nullptr, capability, *name == base, "", run<name>};
    std::copy(box.low, box.low + 3, k.low);
    std::copy(box.high, box.high + 3, k.high);
    std::copy(box.multiple, box.multiple + 3, k.multiple);
    return k;
}

const KernelInfo kernels[] = {
    planted<&tuned>("avx2", of_16), planted<&usual>("avx2", of_8s),       planted<&base>("avx2", of_all),
    planted<&tuned>("cuda", of_16), planted<&hopper>("cuda", of_64s, 90), planted<&usual>("cuda", of_8s),
    planted<&base>("cuda", of_all),
};

} // namespace

const KernelTable kernel_table = {&op, 1, kernels, 7};

} // namespace ks
