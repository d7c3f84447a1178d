// SPDX-License-Identifier: Apache-2.0
#include "dsl/recurrence/tile_words.h"
#include "dsl/lower/words_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

// Collects loads or, given what stands for them, replaces them.
class ReadTiles : public IRMutator {
  public:
    ReadTiles(TileWords *collect, const TileWords &tiles, const TileWords::Element &element,
              const TileWords::Held &held)
        : collect_(collect), tiles_(tiles), element_(element), held_(held) {}

  private:
    using IRMutator::visit;
    TileWords *collect_;
    const TileWords &tiles_;
    const TileWords::Element &element_;
    const TileWords::Held &held_;

    Expr visit(const Call *op) override {
        if (op->call_type != Call::Image) return IRMutator::visit(op);
        bool of_time = expr_uses_var(op, tiles_.time_.name());
        if (!of_time && op->type.bits() == 32) return collect_ ? Expr(op) : held_(op);
        const Variable *along = op->args[0].as<Variable>();
        if (!of_time || !along || along->name != tiles_.along_.name())
            throw Error("tile of " + op->name, "must be read along " + tiles_.along_.name() + " and time");
        int bits = tiles_.loads_.empty() ? op->type.bits() : tiles_.loads_[0].type().bits();
        if (op->type.bits() != bits || (bits != 16 && bits != 32))
            throw Error("tile of " + op->name, "operands of time must all have 16 bits, or all 32");
        size_t i = 0;
        while (i < tiles_.loads_.size() && !equal(tiles_.loads_[i], op)) i++;
        if (!collect_) return element_(static_cast<int>(i));
        if (i == tiles_.loads_.size()) collect_->loads_.push_back(op);
        return op;
    }
};

void TileWords::see(const Expr &e) { ReadTiles(this, *this, nullptr, nullptr).mutate(e); }

Expr TileWords::through(const Expr &e, const Element &element, const Held &held) const {
    return ReadTiles(nullptr, *this, element, held).mutate(e);
}

void TileWords::define() {
    Expr value;
    for (size_t i = loads_.size(); i-- > 0;) {
        Expr load = substitute({{along_.name(), elements() == 2 ? 2 * Expr(word) : Expr(word)},
                                {time_.name(), min(Expr(time_), last_)}},
                               loads_[i]);
        Expr w = reinterpret<float>(word_at(load));
        value = value.defined() ? select(Expr(which) == static_cast<int>(i), w, value) : w;
    }
    std::vector<Var> vars = {word, time_, which};
    vars.insert(vars.end(), outer_.begin(), outer_.end());
    tile(vars) = value;
}

Expr half_of(const Expr &word, const Expr &which) {
    return cast<uint16_t>(select(which == 0, word & Expr(0xffffu), word >> Expr(16u)));
}

} // namespace ks
