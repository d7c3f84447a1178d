// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include "bench/operands.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

struct Add {
    int64_t T, H;
    AlignedBytes a = uniform(T * H, 1, 1.f), b = uniform(T * H, 2, 1.f), y = zeros(T * H);

    void run(const ks_library &library) {
        auto args = model::arguments<ks_add_args>();
        args.T = T, args.H = H;
        args.a = a.floats(), args.b = b.floats(), args.y = y.floats();
        model::check(ks_add(&library, &args));
    }
};

const Registration registration("add", [](Benchmarks &list) {
    for (int64_t H : sizes::hidden)
        for (int64_t T : {int64_t{1}, sizes::prefill})
            list.push_back(
                {fmt::format("add/T={},H={}", T, H), [=](const ks_library &library) -> Call {
                     auto add = std::make_shared<Add>(Add{T, H});
                     auto elements = static_cast<double>(T * H);
                     return {[add, &library](int) { add->run(library); }, {2 * elements, 0, 12 * elements}};
                 }});
});

} // namespace

} // namespace ks::bench
