// SPDX-License-Identifier: Apache-2.0
#include "schedules/registry.h"
#include "runtime/base/error.h"
#include "schedules/cuda/causal_conv1d.h"
#include "schedules/cuda/expert_tiles.h"
#include "schedules/cuda/grouped_experts.h"
#include "schedules/cuda/linear.h"
#include "schedules/cuda/norm.h"
#include "schedules/cuda/router.h"
#include "schedules/cuda/rows.h"
#include "schedules/cuda/selective_scan.h"
#include "schedules/cuda/selective_state_update.h"
#include "schedules/cuda/sinkhorn.h"
#include "schedules/x86/add.h"
#include "schedules/x86/causal_conv1d.h"
#include "schedules/x86/embedding.h"
#include "schedules/x86/expert_tiles.h"
#include "schedules/x86/experts.h"
#include "schedules/x86/gather_rows.h"
#include "schedules/x86/linear.h"
#include "schedules/x86/norm.h"
#include "schedules/x86/router.h"
#include "schedules/x86/selective_scan.h"
#include "schedules/x86/sinkhorn.h"

namespace ks {

const std::vector<Op> &all_ops() {
    static const std::vector<Op> ops = {
        {selective_scan_contract(),
         {x86::selective_scan_space, x86::selective_scan},
         {cuda::selective_scan_space, cuda::selective_scan, nullptr, cuda::usual_selective_scans}},
        {selective_state_update_contract(),
         {x86::selective_state_update_space, x86::selective_state_update},
         {cuda::selective_state_update_space, cuda::selective_state_update, nullptr,
          cuda::usual_selective_state_updates}},
        {causal_conv1d_contract(),
         {x86::causal_conv1d_space, x86::causal_conv1d},
         {cuda::causal_conv1d_space, cuda::causal_conv1d}},
        {causal_conv1d_update_contract(),
         {x86::causal_conv1d_update_space, x86::causal_conv1d_update},
         {cuda::causal_conv1d_update_space, cuda::causal_conv1d_update}},
        {rms_norm_contract(), {x86::norm_space, x86::rms_norm}, {cuda::norm_space, cuda::rms_norm}},
        {layer_norm_contract(), {x86::norm_space, x86::layer_norm}, {cuda::norm_space, cuda::layer_norm}},
        {router_contract(), {x86::router_space, x86::router}, {cuda::router_space, cuda::router}},
        {expert_tiles_contract(),
         {x86::expert_tiles_space, x86::expert_tiles},
         {cuda::expert_tiles_space, cuda::expert_tiles}},
        {sinkhorn_start_contract(),
         {x86::sinkhorn_space, x86::sinkhorn_start},
         {cuda::sinkhorn_space, cuda::sinkhorn_start}},
        {sinkhorn_pass_contract(),
         {x86::sinkhorn_space, x86::sinkhorn_pass},
         {cuda::sinkhorn_space, cuda::sinkhorn_pass}},
        {sinkhorn_plan_contract(),
         {x86::sinkhorn_space, x86::sinkhorn_plan},
         {cuda::sinkhorn_space, cuda::sinkhorn_plan}},
        {embedding_contract(), {x86::embedding_space, x86::embedding}, {cuda::rows_space, cuda::embedding}},
        {add_contract(), {x86::add_space, x86::add}, {cuda::rows_space, cuda::add}},
        {linear_contract(),
         {x86::linear_space, x86::linear, x86::linear_in_base_pack},
         {cuda::linear_space, cuda::linear, cuda::linear_in_base_pack, cuda::usual_linears}},
        {gather_rows_contract(),
         {x86::gather_rows_space, x86::gather_rows},
         {cuda::rows_space, cuda::gather_rows}},
        {expert_up_contract(), {x86::expert_up_space, x86::expert_up, x86::expert_up_in_base_pack}},
        {expert_down_contract(), {x86::expert_down_space, x86::expert_down, x86::expert_down_in_base_pack}},
        {grouped_expert_up_contract(),
         {},
         {cuda::grouped_expert_up_space, cuda::grouped_expert_up, cuda::grouped_experts_in_base_pack}},
        {grouped_expert_down_contract(),
         {},
         {cuda::grouped_expert_down_space, cuda::grouped_expert_down, cuda::grouped_experts_in_base_pack}},
    };
    return ops;
}

const Schedule &Op::schedule(const Halide::Target &target) const {
    return target.has_feature(Halide::Target::CUDA) ? cuda : x86;
}

Space Op::space(const Spec &spec, const Halide::Target &target) const {
    if (!has_schedule(target))
        throw Error("op " + contract.name, "has no schedule for " + target.to_string());
    return schedule(target).space(spec, target);
}

Kernel Op::build(const Spec &spec, const Knobs &knobs, const Halide::Target &target) const {
    if (!has_schedule(target))
        throw Error("op " + contract.name, "has no schedule for " + target.to_string());
    return schedule(target).build(spec, knobs, target);
}

const Op &op_named(const std::string &name) {
    for (const Op &op : all_ops())
        if (op.contract.name == name) return op;
    throw Error("op " + name, "is not known");
}

bool multiplies_pairs(const Contract &contract, const Spec &spec) {
    auto bf16 = [&](const char *choice) {
        auto found = spec.choices.find(choice);
        return found != spec.choices.end() && found->second == "bf16";
    };
    return contract.choices.count("weight") && bf16("io") && bf16("weight");
}

std::string kernel_isa(const Contract &contract, const Spec &spec, const std::string &isa) {
    return isa == "avx512_bf16" && !multiplies_pairs(contract, spec) ? "avx512" : isa;
}

std::vector<Spec> base_specs(const Op &op, const Halide::Target &target) {
    if (!op.has_schedule(target)) return {};
    auto in_pack = op.schedule(target).in_base_pack;
    bool cpu = !target.has_feature(Halide::Target::CUDA);
    std::vector<Spec> specs = {Spec()};
    for (const auto &[name, values] : op.contract.choices) {
        std::vector<Spec> longer;
        for (const Spec &spec : specs)
            for (const std::string &value : values) {
                longer.push_back(spec);
                longer.back().choices[name] = value;
            }
        specs = longer;
    }
    std::vector<Spec> kept;
    for (const Spec &spec : specs)
        if ((!cpu || multiplies_pairs(op.contract, spec) == has_bf16_dot(target)) &&
            (!in_pack || in_pack(spec, target)))
            kept.push_back(spec);
    return kept;
}

std::vector<UsualKernel> usual_kernels(const Op &op, const Spec &base, const Halide::Target &target) {
    auto usual = op.schedule(target).usual;
    return usual ? usual(base, target) : std::vector<UsualKernel>();
}

Spec default_spec(const Op &op, const Spec &wanted, const Halide::Target &target) {
    Spec base{wanted.choices, {}};
    for (const UsualKernel &usual : usual_kernels(op, base, target))
        if (usual.spec.serves(wanted)) return usual.spec;
    return base;
}

} // namespace ks
