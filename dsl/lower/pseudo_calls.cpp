// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/pseudo_calls.h"
#include "runtime/base/error.h"

namespace ks::lower {
using namespace Halide;
using namespace Halide::Internal;

Expr resolve(const Lets &lets, Expr e) {
    for (size_t i = lets.size(); i-- > 0;) e = substitute(lets[i].first, lets[i].second, e);
    return e;
}

const Load *load_behind(const Lets &lets, Expr &e, const char *pass, const char *cause) {
    e = resolve(lets, e);
    const Load *load = e.as<Load>();
    if (!load) throw Error(pass, cause);
    return load;
}

std::vector<Stmt> prefetches(const Lets &lets, const Call *touch) {
    std::vector<Stmt> made;
    for (size_t i = 1; i < touch->args.size(); i += 2) {
        Expr what = touch->args[i], offset = resolve(lets, touch->args[i + 1]);
        const Load *load = load_behind(lets, what, "ks_touch", "only a load can be prefetched");
        if (const Broadcast *b = offset.as<Broadcast>()) offset = b->value;
        const Ramp *ramp = load->index.as<Ramp>();
        Expr address = (ramp ? ramp->base : load->index) + offset;
        made.push_back(Evaluate::make(Call::make(load->type.element_of(), Call::prefetch,
                                                 {Variable::make(Handle(), load->name), address, 1, 1},
                                                 Call::Intrinsic)));
    }
    return made;
}

} // namespace ks::lower
