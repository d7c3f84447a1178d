// SPDX-License-Identifier: Apache-2.0
// What took least on an H200 of some twenty points each, K 2560 and 5120, 192 to 10240 columns and 1 to 2048
// rows in bf16 (docs/gpu-speeds.md).
#include "schedules/cuda/usual_products.h"

namespace ks::cuda {

namespace {

// Rows of x in one pass over the weights, parts of K, rounds without a loop between them, blocks that share
// the registers. Few columns have few blocks, which want more threads.
Knobs mma_rows(const char *rows, const char *slices, const char *unroll, const char *blocks) {
    return {{"form", "rows"}, {"rows", rows}, {"slices", slices}, {"unroll", unroll}, {"blocks", blocks}};
}

Knobs wgmma(const char *warpgroups, const char *columns, const char *stages, const char *row_group) {
    return {{"form", "tiles"},        {"warpgroups", warpgroups},
            {"columns", columns},     {"stages", stages},
            {"row_group", row_group}, {"producer", *warpgroups == '1' ? "warp" : "warpgroup"}};
}

// Of other devices than Hopper's.
Knobs small_mma() {
    return {{"form", "tiles"}, {"unit", "mma"},    {"warpgroups", "1"},  {"columns", "64"},
            {"stages", "4"},   {"row_group", "1"}, {"producer", "warp"}, {"store", "quads"}};
}

Knobs fma_rows() {
    return {{"form", "rows"}, {"row_unit", "fma"}, {"rows", "2"}, {"groups", "4"}, {"slices", "2"}};
}

} // namespace

std::vector<UsualProduct> usual_products(const ProductForms &forms) {
    const bool mma = forms.row.x == forms.row.w && forms.row.w != Storage::f32;
    if (!mma) return {{16, 0, fma_rows()}};
    constexpr int narrow = 256; // tiles of so few columns do not load a GPU
    std::vector<UsualProduct> all = {{64, narrow, mma_rows("8", "32", "2", "1")},
                                     {128, narrow, mma_rows("16", "32", "2", "1")},
                                     {8, 0, mma_rows("8", "16", "4", "2")},
                                     {16, 0, mma_rows("16", "8", "4", "2")}};
    if (!forms.tiles) return all;
    const Knobs square = wgmma("1", "64", "8", "1");
    all.insert(all.end(),
               {{64, 0, square},
                {0, narrow, square},
                {256, 0, wgmma("1", "128", "6", "8")},
                {512, 4096, wgmma("2", "128", "4", "8")}, // at most as many tiles as multiprocessors
                {0, 0, wgmma("2", "192", "4", "8")},
                {256, 0, small_mma()},
                {0, narrow, small_mma()}});
    return all;
}

} // namespace ks::cuda
