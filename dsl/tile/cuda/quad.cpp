// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/quad.h"
#include "dsl/tile/cuda/placement.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

QuadValue QuadValue::plus(int64_t offset) const { return {steps_, first_ + ModulusRemainder(0, offset)}; }

bool QuadValue::may_begin_at(int64_t value) const {
    int64_t apart = value - first_.remainder;
    return first_.modulus ? apart % first_.modulus == 0 : apart == 0;
}

bool QuadValue::begins_at_multiple(int64_t unit) const {
    return first_.modulus % unit == 0 && first_.remainder % unit == 0;
}

// The lanes differ where lane 0 begins so that 0 lies between the least and the greatest.
bool QuadValue::same_sign() const {
    auto [least, greatest] = std::minmax_element(steps_.begin(), steps_.end());
    for (int64_t begin = 1 - *greatest; begin <= -*least; begin++)
        if (may_begin_at(begin)) return false;
    return true;
}

QuadValues::Found QuadValues::find(const Expr &e) {
    for (size_t i = 0; i < known_.size(); i++) {
        Expr apart = simplify(e - known_[i].first);
        if (auto offset = as_const_int(apart)) return {i, *offset, known_[i].second.plus(*offset)};
    }
    known_.emplace_back(e, prove(e));
    return {known_.size() - 1, 0, known_.back().second};
}

QuadValue QuadValues::prove(const Expr &e) const {
    auto in_thread = [&](int t) { return simplify(substitute(thread_, Expr(t), e)); };
    QuadValue::Steps steps{};
    ModulusRemainder first;
    for (int t = 0; t < threads_; t += lanes_of_row) {
        Expr begin = in_thread(t);
        ModulusRemainder here =
            known_of_variables_ ? modulus_remainder(begin, *known_of_variables_) : modulus_remainder(begin);
        first = t ? ModulusRemainder::unify(first, here) : here;
        for (int lane = 1; lane < lanes_of_row; lane++) {
            int step = constant(in_thread(t + lane) - begin, "step between lanes of a quad");
            int64_t &known = steps[static_cast<size_t>(lane)];
            if (t && step != known) throw Error("tile schedule", "quads differ in their steps between lanes");
            known = step;
        }
    }
    return {steps, first};
}

} // namespace ks::tile
