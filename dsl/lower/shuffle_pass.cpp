// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/shuffle_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

constexpr int warp = 32;
// ks_shuffle_*(value, lane, distance)
const char *const up_call = "ks_shuffle_up", *const around_call = "ks_shuffle_around",
                  *const select_call = "ks_select_by_lane";
const char *const first_thread = ".thread_id_x"; // Halide's name for it

// PTX ISA, shfl.sync: all lanes take part; the last operand bounds the lanes that it reads from.
Expr instruction(const std::string &kind, const Expr &value, const Expr &b, int bound) {
    return Call::make(Float(32), "llvm.nvvm.shfl.sync." + kind + ".f32", {Expr(-1), value, b, Expr(bound)},
                      Call::PureExtern);
}

[[noreturn]] void refuse(const std::string &cause) { throw Error("shuffle pass", cause); }

} // namespace

Expr shuffle_up(const Expr &value, const Expr &lane, int distance) {
    return pseudo_call(Float(32), up_call, {value, lane, distance});
}

Expr shuffle_around(const Expr &value, const Expr &lane, int distance) {
    return pseudo_call(Float(32), around_call, {value, lane, distance});
}

Expr select_by_lane(const Expr &condition, const Expr &a, const Expr &b) {
    return pseudo_call(a.type(), select_call, {condition, a, b});
}

void ShufflePass::verify() const {
    if (shuffles_ == 0) refuse("no thread asks for a value of another lane");
}

Expr ShufflePass::simplified(const Expr &e) const {
    return simplify(lower::resolve(lets_, e), true, threads_);
}

bool ShufflePass::differs_between_lanes(const Expr &e) const {
    Expr known = simplified(e);
    struct OfThreads : IRGraphVisitor {
        using IRGraphVisitor::visit;
        const Scope<Interval> &threads;
        bool any = false;
        explicit OfThreads(const Scope<Interval> &t) : threads(t) {}
        void visit(const Variable *op) override { any = any || threads.contains(op->name); }
        void visit(const Load *op) override {
            any = any || !op->param.defined(); // of the thread or the block
            IRGraphVisitor::visit(op);
        }
    } find(threads_);
    known.accept(&find);
    return find.any;
}

Stmt ShufflePass::visit(const LetStmt *op) {
    Expr value = mutate(op->value);
    lets_.emplace_back(op->name, op->value);
    Stmt body = mutate(op->body);
    lets_.pop_back();
    return LetStmt::make(op->name, value, body);
}

Stmt ShufflePass::visit(const For *op) {
    if (op->for_type != ForType::GPUThread) {
        ScopedValue<bool> apart(apart_, apart_ || differs_between_lanes(op->min) ||
                                            differs_between_lanes(op->extent));
        return IRMutator::visit(op);
    }
    auto extent = as_const_int(op->extent);
    bool first = ends_with(op->name, first_thread);
    ScopedValue<std::string> lane(lane_, first && extent && *extent == warp ? op->name : lane_);
    Interval range(op->min, extent ? simplify(op->min + static_cast<int>(*extent) - 1) : Interval::pos_inf());
    ScopedBinding<Interval> bind(threads_, op->name, range);
    return IRMutator::visit(op);
}

Stmt ShufflePass::visit(const IfThenElse *op) {
    ScopedValue<bool> apart(apart_, apart_ || differs_between_lanes(op->condition));
    return IRMutator::visit(op);
}

Expr ShufflePass::visit(const Call *op) {
    if (op->is_intrinsic(Call::if_then_else)) {
        ScopedValue<bool> apart(apart_, apart_ || differs_between_lanes(op->args[0]));
        return IRMutator::visit(op);
    }
    if (op->name == select_call) return select(mutate(op->args[0]), mutate(op->args[1]), mutate(op->args[2]));
    bool up = op->name == up_call;
    if (!up && op->name != around_call) return IRMutator::visit(op);
    if (!op->type.is_scalar()) refuse("a vector cannot be shuffled");
    if (lane_.empty()) refuse("the first dimension of the block is not a warp");
    if (apart_) refuse("not all lanes of the warp come by");
    Expr lane = simplified(op->args[1]);
    const Variable *is = lane.as<Variable>();
    if (!is || is->name != lane_) refuse("a thread is not in the lane that it takes itself for");
    shuffles_++;
    Expr value = mutate(op->args[0]), distance = op->args[2];
    if (up) return instruction("up", value, distance, 0);
    return instruction("idx", value, (Variable::make(Int(32), lane_) + (warp - distance)) % warp, warp - 1);
}

} // namespace ks
