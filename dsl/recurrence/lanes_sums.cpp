// SPDX-License-Identifier: Apache-2.0
// The read-out of "states over lanes": products of states and weights, summed over states and lanes.
#include "dsl/ptx/instructions.h"
#include "dsl/recurrence/states_over_lanes.h"

namespace ks {
using namespace Halide;

// Sums over the states by mma: a word for each of two rows, channels or steps.
void StatesOverLanes::define_products() {
    bool pairs = plan_.lanes == 4;
    auto h = [&](int i, int c, const Expr &gi) { return states_(at({i, c, gi, gc_, q_, g_, w_})); };
    Expr now = gi_ * 2, next = gi_ * 2 + 1; // 8 lanes: rows g + 8 are the next step
    std::vector<Var> point = over({gi_, gc_, q_, g_, w_});
    if (f32_operands()) {
        Func weight = weight_copy(operands_.read_weight());
        auto sum = [&](int c, const Expr &gi) {
            Expr all = 0.f;
            for (int i = 0; i < plan_.states / plan_.lanes; i++)
                all += h(i, c, gi) * weight(at({i, gi, gc_, q_, g_}));
            return all;
        };
        product_(point) =
            pairs ? ptx::quad_sums(sum(0, gi_), sum(1, gi_)) : ptx::quad_sums(sum(0, now), sum(0, next));
        return;
    }
    // Column g of B: a step, or a step and half of the states.
    Expr time = gc_ * plan_.group_steps() + (pairs ? Expr(g_) : g_ / 2);
    read_copy_(over({i_, gc_, q_, g_})) = weights_(at({first_state() + i_, time}))[operands_.read_weight()];
    auto weight = [&](int i) { return read_copy_(at({i, gc_, q_, g_})); };
    if (pairs) {
        std::vector<Expr> a;
        for (int i = 0; i < 4; i++)
            for (int c = 0; c < 2; c++) a.push_back(h(i, c, gi_));
        product_(point) = ptx::mma_k16(a, {weight(0), weight(1), weight(2), weight(3)}, gi_ % 2);
    } else {
        product_(point) = ptx::mma_k8({h(0, 0, now), h(0, 0, next), h(1, 0, now), h(1, 0, next)},
                                      {weight(0), weight(1)}, g_ % 2);
    }
}

// Of the 8 columns of a product a thread needs some: it keeps those of its q.
void StatesOverLanes::define_sums() {
    define_products();
    bool pairs = plan_.lanes == 4;
    int G = plan_.group_steps();
    auto row = [&](const Expr &gi, const Expr &high) {
        Expr both = product_(at({gi, gc_, q_, g_, w_}));
        return reinterpret<float>(cast<uint32_t>(both >> cast<uint64_t>(high * 32)));
    };
    auto of_q = [&](const std::vector<Expr> &v) {
        return select(q_ == 0, v[0], q_ == 1, v[1], q_ == 2, v[2], v[3]);
    };
    // 4 lanes: steps 2q + k of channel c. 8 lanes: step q, one channel.
    kept_(over({c_, k_, gc_, q_, g_, w_})) =
        pairs ? of_q({row(k_, c_), row(2 + k_, c_), row(4 + k_, c_), row(6 + k_, c_)})
              : of_q({row(0, 0), row(0, 1), row(1, 0), row(1, 1)});
    sums_(over({c_, k_, q_, g_, gc_, w_})) = kept_(at({c_, k_, gc_, q_, g_, w_}));

    // As the consumer's threads read them: by pair and step, the values of a pair side by side.
    int T = plan_.thread_steps();
    Expr time = tc_ * T + ti_, e = time % G, group = time / G;
    if (pairs)
        summed_(over({v_, ti_, tc_, p_})) = sums_(at({v_, e % 2, e / 2, p_ % 8, group, p_ / 8}));
    else
        summed_(over({v_, ti_, tc_, p_})) = sums_(at({0, 0, e, (p_ % 2) * 4 + v_, group, p_ / 2}));
}

} // namespace ks
