// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include "bench/operands.h"
#include "runtime/kernels/choose.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

struct Sinkhorn {
    int64_t T, E;
    std::string space;
    AlignedBytes logits = uniform(T * E, 1, 4.f), d0 = zeros(T), d1 = zeros(E), d1_next = zeros(E),
                 change = zeros(1), plan_values = zeros(T * E);
    std::vector<int32_t> index = std::vector<int32_t>(static_cast<size_t>(T));

    template <typename Args>
    Args arguments(const char *op) {
        auto a = model::arguments<Args>();
        a.T = T, a.E = E, a.space = choice_index(op, "space", space);
        a.logits = logits.floats();
        return a;
    }

    void start(const ks_library &library) {
        auto a = arguments<ks_sinkhorn_start_args>("sinkhorn_start");
        a.d1_next = d1.floats();
        model::check(ks_sinkhorn_start(&library, &a));
    }

    void pass(const ks_library &library) {
        auto a = arguments<ks_sinkhorn_pass_args>("sinkhorn_pass");
        a.d1 = d1.floats(), a.d0 = d0.floats(), a.d1_next = d1_next.floats(), a.change = change.floats();
        model::check(ks_sinkhorn_pass(&library, &a));
    }

    void plan(const ks_library &library) {
        auto a = arguments<ks_sinkhorn_plan_args>("sinkhorn_plan");
        a.d0 = d0.floats(), a.d1 = d1.floats(), a.plan = plan_values.floats(), a.index = index.data();
        model::check(ks_sinkhorn_plan(&library, &a));
    }

    // Of every entry of the matrix: `flops`, one exponential, the logit. Of every token: `words` of four
    // bytes.
    Work work(double flops, double words) const {
        auto entries = static_cast<double>(T * E), tokens = static_cast<double>(T);
        return {flops * entries, entries, 4 * (entries + words * tokens)};
    }
};

using Step = void (Sinkhorn::*)(const ks_library &);

void add(Benchmarks &list, const char *op, const char *space, int64_t T, Step step, double flops,
         double words) {
    list.push_back({fmt::format("{}/{}/T={},E={}", op, space, T, sizes::experts),
                    [=](const ks_library &library) -> Call {
                        auto s = std::make_shared<Sinkhorn>(Sinkhorn{T, sizes::experts, space});
                        s->start(library); // scales that `pass` and `plan` go on from
                        s->pass(library);
                        return {[s, &library, step](int) { ((*s).*step)(library); }, s->work(flops, words)};
                    }});
}

const Registration registration("sinkhorn", [](Benchmarks &list) {
    constexpr double E = sizes::experts;
    for (const char *space : {"linear", "log"})
        for (int64_t T : {sizes::prefill, int64_t{8192}}) { // a chunk, a batch of training
            add(list, "sinkhorn_start", space, T, &Sinkhorn::start, 2, 0);
            add(list, "sinkhorn_pass", space, T, &Sinkhorn::pass, 4, 1);
            add(list, "sinkhorn_plan", space, T, &Sinkhorn::plan, 4, 2 + E);
        }
});

} // namespace

} // namespace ks::bench
