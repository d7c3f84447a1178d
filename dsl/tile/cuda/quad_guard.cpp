// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/quad_guard.h"
#include "dsl/lower/ir_facts.h"
#include <algorithm>

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

Guard::Guard(const std::vector<Expr> &conditions, InlineLets &lets) : condition_(const_true()) {
    for (const Expr &condition : conditions) {
        split_into_ands(lets.mutate(condition), terms_);
        condition_ = is_const_one(condition_) ? condition : condition_ && condition;
    }
}

bool Guard::has(const Expr &term) const {
    return std::any_of(terms_.begin(), terms_.end(), [&](const Expr &own) { return equal(own, term); });
}

bool Guard::implies(const Guard &weaker) const {
    return weaker.whole_ && std::all_of(weaker.terms_.begin(), weaker.terms_.end(),
                                        [&](const Expr &term) { return has(term); });
}

Guard Guard::either(const Expr &which, const Guard &yes, const Guard &no) {
    if (yes.whole_ && no.whole_ && yes.implies(no) && no.implies(yes)) return yes;
    Guard guard;
    guard.condition_ = Select::make(which, yes.condition_, no.condition_);
    for (const Expr &term : yes.terms_)
        if (no.has(term)) guard.terms_.push_back(term);
    guard.whole_ = false;
    return guard;
}

void GuardedLoads::add(const Expr &e, const Guard &guard) {
    Expr inlined = lets_.mutate(e);
    for (const Load *load : lower::loads_in(inlined)) loads_.emplace_back(Expr(load), guard);
}

Expr GuardedLoads::inside(const Expr &e, const Guard &guard) const {
    auto condition = [&](const Load *load) {
        Expr inlined = lets_.mutate(Expr(load));
        for (const auto &[known, weaker] : loads_)
            if (guard.implies(weaker) && equal(known, inlined))
                return is_const_one(weaker.condition()) ? Expr() : weaker.condition();
        return is_const_one(guard.condition()) ? Expr() : guard.condition();
    };
    return load_inside(e, condition, own_);
}

} // namespace ks::tile
