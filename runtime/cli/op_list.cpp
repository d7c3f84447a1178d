// SPDX-License-Identifier: Apache-2.0
// The ops of `ks op`: what each reads, writes and lets choose.
#include "runtime/cli/op.h"
#include "runtime/kernels/op_table.h"

namespace ks::cli {

namespace {

// The values that the pack itself has for a choice.
std::vector<std::string> of_pack(const std::string &op, const std::string &choice) {
    std::vector<std::string> values;
    for (int i = 0; i < kernel_table.op_count; i++) {
        const OpInfo &info = kernel_table.ops[i];
        for (int c = 0; op == info.name && c < info.choice_count; c++)
            for (auto *v = info.choices[c].values; choice == info.choices[c].name && *v; v++)
                values.emplace_back(*v);
    }
    return values;
}

} // namespace

const std::vector<OpEntry> &op_entries() {
    static const std::vector<OpEntry> entries = {
        {"selective_scan",
         run_selective_scan,
         "u, dt, z? [B,L,D], A [D,N] negative, B, C [B,L,N], D?, dt_bias? [D], h0? [B,D,N] -> y [B,L,D], "
         "h_last "
         "[B,D,N]; with seq_start? [S+1] and B = 1 states are [S,D,N]",
         {{"io", of_pack("selective_scan", "io")}, {"delta", {"softplus", "none"}}}},
        {"selective_state_update",
         run_selective_state_update,
         "u, dt, z? [S,D], A [D,N], B, C [S,N], D?, dt_bias? [D], h0? [S,D,N] -> y [S,D], h_last [S,D,N]",
         {{"io", of_pack("selective_state_update", "io")}, {"delta", {"softplus", "none"}}}},
        {"causal_conv1d",
         run_causal_conv1d,
         "x [B,L,D], weight [D,W] with W = 2..4, bias? [D], state0? [B,D,W-1] (inputs, oldest first) -> y "
         "[B,L,D], "
         "state_last [B,D,W-1]; seq_start as for the scan",
         {{"io", of_pack("causal_conv1d", "io")}, {"act", {"silu", "none"}}}},
        {"causal_conv1d_update",
         run_causal_conv1d_update,
         "x [S,D], weight [D,W], bias? [D], state0? [S,D,W-1] -> y [S,D], state_last [S,D,W-1]",
         {{"io", of_pack("causal_conv1d_update", "io")}, {"act", {"silu", "none"}}}},
        {"linear",
         run_linear,
         "x [M,K], w [N,K], bias? [N] -> y [M,N]",
         {{"weight", of_pack("linear", "weight")}}},
        {"embedding",
         run_embedding,
         "ids [T], table [V,H] -> y [T,H]",
         {{"weight", of_pack("embedding", "weight")}}},
        {"add", run_add, "a, b [T,H] -> y [T,H]", {}},
        {"rms_norm",
         run_rms_norm,
         "hidden, residual? [T,H], weight [H], eps? [1] (1e-5) -> y, residual [T,H]",
         {{"rounding", of_pack("rms_norm", "rounding")}}},
        {"layer_norm",
         run_layer_norm,
         "as rms_norm, and bias [H]",
         {{"rounding", of_pack("layer_norm", "rounding")}}},
        {"router",
         run_router,
         "logits [T,E] -> index, gate, permutation [T], counts [E], offsets [E+1]",
         {{"score", of_pack("router", "score")}}},
        {"expert_tiles",
         run_expert_tiles,
         "counts [E], offsets [E+1], permutation [T] (as router makes them), slots [1] of a tile, "
         "tiles? [1] (as many as always suffice) -> rows, experts [tiles,slots]",
         {}},
        {"expert_mlp",
         run_expert_mlp,
         "x [T,H], fc1 [E,2F,H] (activated half first) or [E,F,H], fc2 [E,H,F], index [T] (may be missing "
         "when E = "
         "1), gate? [T] -> y [T,H]",
         {{"act", of_pack("expert_up", "act")}, {"weight", of_pack("expert_up", "weight")}}},
        {"sinkhorn",
         run_sinkhorn,
         "logits [T,E] -> plan [T,E] of one pass, index [T], gate [T] (sigmoid of the logit)",
         {}},
    };
    return entries;
}

} // namespace ks::cli
