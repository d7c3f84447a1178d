// SPDX-License-Identifier: Apache-2.0
#include "generators/router_by_votes.h"
#include "dsl/lower/assign_pass.h"
#include "dsl/ptx/instructions.h"
#include "generators/argmax.h"
#include "generators/router.h"

namespace ks {
using namespace Halide;

RouterByVotes::Choice RouterByVotes::choose(const Maths &maths) const {
    Choice c;
    Func logits("logit");
    Var e("e");
    logits(e, t) = operands.load("logits", {e, t});
    c.best = argmax_of(logits, t, experts_);
    c.expert = clamp(c.best(t)[1], 0, experts_ - 1);
    c.gate = gate_of(operands, maths, t, c.expert, c.spread);
    return c;
}

RouterByVotes::Groups RouterByVotes::group(const std::function<Expr(Expr)> &expert_of, const Expr &enabled,
                                           const Cut &cut) {
    Groups g;
    int batch = cut.batch, stride = lanes * batch * cut.parts;
    Expr steps = (tokens_ + stride - 1) / stride;
    auto token_at = [&](const Expr &l, const Expr &j, const Expr &i, const Expr &p) {
        return ((p * steps + i) * batch + j) * lanes + l;
    };
    auto votes = [&](const Expr &at, const std::function<Expr(Expr)> &condition) {
        return ptx::ballot(at < tokens_ && condition(expert_of(min(at, tokens_ - 1))));
    };

    RDom walk(0, batch, 0, steps, "walk");
    Expr walked = token_at(g.l, walk.x, walk.y, g.p);
    Expr lower = votes(walked, [&](const Expr &of) { return of < g.e; });
    Expr equal = votes(walked, [&](const Expr &of) { return of == g.e; });
    g.tally(g.l, g.p, g.e) = Tuple(0, 0);
    g.tally(g.l, g.p, g.e) = Tuple(g.tally(g.l, g.p, g.e)[0] + cast<int32_t>(popcount(lower)),
                                   g.tally(g.l, g.p, g.e)[1] + cast<int32_t>(popcount(equal)));

    Expr begin = g.tally(g.l, g.p, g.e)[0], count = g.tally(g.l, g.p, g.e)[1], first = begin;
    if (cut.parts >
        1) { // lane l adds part l: any lane's copy of a tally will do, that on the diagonal has its own bank
        g.shared(g.l, g.p, g.e) = Tuple(begin, count);
        Tuple part = g.shared(g.l, g.l, g.e);
        begin = ptx::warp_sum(part[0]), count = ptx::warp_sum(part[1]);
        first = begin + ptx::warp_sum(select(g.l < g.p, part[1], 0));
    }
    g.cursor(g.l, g.p, g.e) =
        assign(first, {{counts_(g.e), count}, {offsets_(g.e), begin}, {offsets_(experts_), tokens_}},
               g.e < experts_);

    Expr mine = votes(token_at(g.l, g.j, g.i, g.p), [&](const Expr &of) { return of == g.e; });
    Expr bit = Expr(1u) << cast<uint32_t>(g.l), below = bit - Expr(1u);
    Expr next = g.cursor(g.l, g.p, g.e);
    g.place(g.l, g.j, g.i, g.p, g.e) =
        assign(select((mine & bit) != 0, next + cast<int32_t>(popcount(mine & below)), -1),
               {{next, next + cast<int32_t>(popcount(mine))}});

    bool by_parts = cut.parts > 1;
    Expr rounds = by_parts ? Expr(1) : (experts_ + cut.experts_at_once - 1) / cut.experts_at_once;
    RDom r({{0, batch},
            {0, steps},
            {0, rounds},
            {0, lanes},
            {0, by_parts ? Expr(cut.parts) : min(experts_, cut.experts_at_once)},
            {0, select(enabled, by_parts ? experts_ : Expr(1), 0)}},
           "group");
    g.slot = r[0], g.step = r[1], g.round = r[2], g.lane = r[3], g.row = r[4], g.block = r[5];
    Expr part = by_parts ? Expr(g.row) : Expr(0);
    Expr expert = by_parts ? Expr(g.block) : g.round * cut.experts_at_once + g.row;
    Expr place = g.place(g.lane, g.slot, g.step, part, expert);
    r.where(place >= 0);
    permutation(clamp(place, 0, tokens_ - 1)) = token_at(g.lane, g.slot, g.step, part);
    return g;
}

RouterByVotes::RouterByVotes(const Spec &spec, const Maths &maths, const Plan &plan)
    : operands(router_contract(), spec) {
    tokens_ = operands.buffer("logits").dim(1).extent();
    experts_ = operands.width("E", "logits");
    index_ = operands.assigned("index"), gate_ = operands.assigned("gate");
    counts_ = operands.assigned("counts"), offsets_ = operands.assigned("offsets");
    Expr many = tokens_ > plan.in_one_block / max(experts_, few_experts);

    permutation(t) = undef<int>();
    by_itself = choose(maths);
    RDom all(0, select(many, tokens_, 0), "token");
    auto of_all = [&](const Expr &e) { return Internal::substitute(t.name(), Expr(all), e); };
    permutation(all) =
        assign(0, {{index_(all), of_all(by_itself.expert)}, {gate_(all), of_all(by_itself.gate)}});
    token = all.x;
    apart = group([&](const Expr &at) { return index_(at); }, many, {parts, 1, plan.batch});

    if (plan.in_one_block) {
        beside = choose(maths);
        chosen(t) = assign(beside.expert, {{index_(t), beside.expert}, {gate_(t), beside.gate}});
        together =
            group([&](const Expr &at) { return chosen(at); }, !many, {1, plan.warps, plan.block_batch});
    }
    operands.promise(permutation);
}

} // namespace ks
