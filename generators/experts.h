// SPDX-License-Identifier: Apache-2.0
// The two matrix products of one expert, for the rows that were routed to it:
//
//   up:    h[r] = act(x[r] G^T) * (x[r] U^T)     or, not gated, act(x[r] U^T)
//   down:  y[rows[r]] = scale[r] * h[r] W^T
//
// A call takes one expert, so its weights pass through the cache once however many rows it got.
#pragma once
#include "dsl/kernel.h"
#include "dsl/maths.h"
#include "dsl/operands.h"
#include "dsl/tile/panel_product.h"

namespace ks {

const Contract &expert_up_contract();
const Contract &expert_down_contract();

struct ExpertUp {
    ExpertUp(const Spec &spec, const Maths &maths);

    Operands operands;
    PanelProduct product; // parts: gate and up, or up alone
    Halide::Func h{"h"};  // (lane, panel, row)
};

// y is written at listed rows only, by one update per height of a row tile: update i has tiles of i + 1 rows.
// All but one of them are empty in any call.
struct ExpertDown {
    ExpertDown(const Spec &spec, int tallest);

    struct Scatter {
        Halide::RDom tile; // (row in tile, tile)
        PanelProduct product;
    };

    Operands operands;
    Halide::Var lane{"l"}, panel{"p"}, row{"t"};
    Halide::Func y{"y"};
    std::vector<Scatter> scatter; // of y.update(i)
};

} // namespace ks
