// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/product_forms.h"
#include "dsl/lower/pack_pass.h"
#include "dsl/lower/registers_pass.h"
#include "dsl/ptx/instructions.h"
#include <algorithm>

namespace ks::cuda {
using namespace Halide;

namespace {

std::function<bool(const Knobs &)> form_is(const std::string &form) {
    return [=](const Knobs &k) { return k["form"] == form; };
}

bool are_one_16_bit_storage(const Spec &spec, const std::vector<std::string> &choices) {
    const std::string &storage = spec.choice(choices.at(0));
    return storage != "f32" && std::all_of(choices.begin(), choices.end(), [&](const std::string &choice) {
               return spec.choice(choice) == storage;
           });
}

Kernel product_kernel(const Func &out, const Operands &operands) {
    Kernel kernel{{out}, operands.arguments(), {std::make_shared<PackPass>()}};
    kernel.device.expansions = ptx::instructions();
    return kernel;
}

} // namespace

int fixed_width(const Spec &spec, const std::string &dim) {
    auto at = spec.fixed.find(dim);
    return at == spec.fixed.end() ? 0 : static_cast<int>(at->second);
}

ProductForms product_forms(const Spec &spec, const std::string &columns,
                           const std::vector<std::string> &of_tiles) {
    ProductForms forms;
    Storage x = storage_named(spec.choice("io")), w = storage_named(spec.choice("weight"));
    int K = fixed_width(spec, "K"), width = fixed_width(spec, columns);
    constexpr int vector = 16 / 2, pair = 2; // elements that are loaded, and stored, at a time
    forms.tiles = are_one_16_bit_storage(spec, of_tiles) && spec.divisor("K") % vector == 0 &&
                  spec.divisor(columns) % pair == 0;
    forms.tile.storage = x;
    forms.tile.K = K;
    forms.tile.columns = width;
    forms.tile.column_divisor = static_cast<int>(spec.divisor(columns));
    forms.row = {x, w, K, width, static_cast<int>(spec.divisor("K"))};
    return forms;
}

Space product_space(const ProductForms &forms, const std::string &square) {
    bool tiles = forms.tiles, rows = forms.rows;
    Space s;
    // (Points are on record that name the defaults of the other forms, among them a store of whole rows.)
    const char *form = tiles && whole_rows(forms.tile) ? "tiles" : "squares";
    s.knob("form", std::vector<std::string>{"squares", "tiles", "rows"}, form,
           "squares of results in registers, tiles on tensor cores, or few rows, bound by the weights");
    s.begin_group(form_is("squares"));
    s.knob("square", {2, 4, 8}, 4, "squares: " + square);
    s.knob("depth", {16, 32}, 16, "squares: elements of K in shared memory");
    s.end_group();
    s.rule([=](const Knobs &k) { return (tiles || k["form"] != "tiles") && (rows || k["form"] != "rows"); });
    // Where the widths are of the launch, as in a pack for any device: the tiles that all of them have.
    if (tiles && !forms.tile.K)
        s.set_fallback({{"unit", "mma"}, {"producer", "warp"}, {"stages", "3"}, {"store", "quads"}});
    add_tile_knobs(s, forms.tile, form_is("tiles"));
    add_row_knobs(s, forms.row, form_is("rows"));
    return s;
}

void load_to_shared(Func operand, const Func &product, const RVar &step, int depth, int lines) {
    std::vector<Var> order = operand.args();
    Var along = order[0], line = order[1], lane("lane"), other("other");
    std::swap(order[0], order[1]); // neighbouring lines side by side: threads read them together
    operand.compute_at(product, step).store_in(MemoryType::GPUShared).reorder_storage(order);
    operand.bound_extent(along, depth).bound_extent(line, lines);
    operand.split(along, along, lane, square_threads)
        .split(line, line, other, square_threads)
        .reorder(along, line, lane, other)
        .gpu_threads(lane, other)
        .unroll(along)
        .unroll(line);
}

Kernel squares_kernel(const Func &out, const Operands &operands) {
    Kernel kernel = product_kernel(out, operands);
    kernel.passes.push_back(std::make_shared<RegistersPass>());
    return kernel;
}

Kernel rows_kernel(const Func &out, const Operands &operands, const tile::RowProduct &product) {
    Kernel kernel = product_kernel(out, operands);
    product.finish(kernel);
    kernel.device.early_successor = true;
    return kernel;
}

} // namespace ks::cuda
