// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/lanes_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

constexpr int warp = 32;
const char *const lane_call = "ks_lane_of", *const sum_call = "ks_lane_sum";

struct FindCalls : IRGraphVisitor {
    using IRGraphVisitor::visit;
    bool lane = false, barrier = false;
    void visit(const Call *op) override {
        lane = lane || op->name == lane_call;
        barrier = barrier || op->is_intrinsic(Call::gpu_thread_barrier);
        IRGraphVisitor::visit(op);
    }
};

FindCalls calls_in(const Stmt &s) {
    FindCalls find;
    s.accept(&find);
    return find;
}

// Butterflies over the lanes of an iteration. A warp's other iterations are named too: what is done already
// is not waited for (PTX ISA, shfl.sync: "all non-exited threads"), and a mask that is no constant costs a
// loop.
std::string sum_over(int lanes, const ptx::PseudoCall &call) {
    std::string text = ".reg .f32 %other; mov.b32 " + call.result + ", " + call.arguments.at(0) + ";";
    for (int distance = warp / lanes; distance < warp; distance *= 2)
        text += " shfl.sync.bfly.b32 %other, " + call.result + ", " + std::to_string(distance) +
                ", 31, 0xffffffff; add.f32 " + call.result + ", " + call.result + ", %other;";
    return text;
}

} // namespace

Expr lane_of(const Expr &iteration, int lanes) {
    return unsafe_promise_clamped(pseudo_call(Int(32), lane_call, {iteration}), 0, lanes - 1);
}

Expr lane_sum(const Expr &value, int lanes) {
    return lanes == 1 ? value : pseudo_call(value.type(), sum_call + std::to_string(lanes), {value});
}

std::map<std::string, ptx::Expansion> lane_expansions() {
    std::map<std::string, ptx::Expansion> all;
    for (int lanes = 2; lanes < warp; lanes *= 2)
        all[sum_call + std::to_string(lanes)] = [lanes](const ptx::PseudoCall &c) {
            return sum_over(lanes, c);
        };
    return all;
}

LanesPass::LanesPass(int lanes) : lanes_(lanes) {
    if (lanes < 2 || lanes > 16 || (lanes & (lanes - 1)))
        throw Error("lanes of an iteration: " + std::to_string(lanes), "not one of 2, 4, 8, 16");
}

void LanesPass::verify() const {
    if (loops_ == 0) throw Error("lanes pass", "no loop over threads asks for its lane");
}

Stmt LanesPass::visit(const For *op) {
    if (op->for_type != ForType::GPUThread || lane_.defined()) return IRMutator::visit(op);
    FindCalls calls = calls_in(op->body);
    if (!calls.lane) return IRMutator::visit(op);
    if (calls.barrier) // where those would wait that sum_over() must find done
        throw Error("lanes pass", "a barrier among the threads that ask for their lane");
    int apart = warp / lanes_;
    auto extent = as_const_int(op->extent);
    if (!is_const_zero(op->min) || !extent || *extent % apart)
        throw Error("lanes pass", "the threads are not a multiple of " + std::to_string(apart));
    loops_++;
    Expr thread = Variable::make(Int(32), op->name);
    Stmt body = substitute(op->name, thread / warp * apart + thread % apart, op->body);
    lane_ = thread / apart % lanes_;
    body = mutate(body);
    lane_ = Expr();
    return simplify(For::make(op->name, op->min, static_cast<int>(*extent) * lanes_, op->for_type,
                              op->partition_policy, op->device_api, body));
}

Expr LanesPass::visit(const Call *op) {
    if (lane_.defined() && op->name == lane_call)
        return op->type.is_scalar() ? lane_ : Broadcast::make(lane_, op->type.lanes());
    return IRMutator::visit(op);
}

} // namespace ks
