// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/lanes_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

constexpr int warp = 32;
const char *const lane_call = "ks_lane_of", *const sum_call = "ks_lane_sum";

struct FindLane : IRGraphVisitor {
    using IRGraphVisitor::visit;
    bool found = false;
    void visit(const Call *op) override {
        found = found || op->name == lane_call;
        IRGraphVisitor::visit(op);
    }
};

bool asks_for_lane(const Stmt &s) {
    FindLane find;
    s.accept(&find);
    return find.found;
}

// Butterflies over the lanes of an iteration, which alone are named to wait for: others may be done already.
std::string sum_over(int lanes, const ptx::PseudoCall &call) {
    int apart = warp / lanes;
    uint32_t mask = 0;
    for (int lane = 0; lane < warp; lane += apart) mask |= 1u << lane;
    std::string text =
        ".reg .b32 %member; .reg .f32 %other; mov.u32 %member, %laneid; and.b32 %member, %member, " +
        std::to_string(apart - 1) + "; shl.b32 %member, " + std::to_string(mask) + ", %member; mov.b32 " +
        call.result + ", " + call.arguments.at(0) + ";";
    for (int distance = apart; distance < warp; distance *= 2)
        text += " shfl.sync.bfly.b32 %other, " + call.result + ", " + std::to_string(distance) +
                ", 31, %member; add.f32 " + call.result + ", " + call.result + ", %other;";
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
    if (op->for_type != ForType::GPUThread || lane_.defined() || !asks_for_lane(op->body))
        return IRMutator::visit(op);
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
    return lane_.defined() && op->name == lane_call ? lane_ : IRMutator::visit(op);
}

} // namespace ks
