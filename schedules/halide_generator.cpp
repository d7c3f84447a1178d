// SPDX-License-Identifier: Apache-2.0
#include "schedules/halide_generator.h"
#include "dsl/storage.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

// Runs last: asks the others whether what they assumed held. An IR mutator only because Halide calls it as
// one.
class Verify : public IRMutator {
  public:
    explicit Verify(std::vector<std::shared_ptr<LoweringPass>> passes) : passes_(std::move(passes)) {}
    using IRMutator::mutate;
    Stmt mutate(const Stmt &s) override {
        for (const auto &pass : passes_) pass->verify();
        refuse_pseudo_calls(s, "generator");
        return s;
    }

  private:
    std::vector<std::shared_ptr<LoweringPass>> passes_;
};

Type type_of(const std::string &type, const Spec &spec) {
    if (type == "i32") return Int(32);
    return buffer_type(type == "f32" ? Storage::f32 : storage_named(spec.choice(type)));
}

class OpGenerator : public AbstractGenerator {
  public:
    OpGenerator(const Op &op, const GeneratorContext &context) : op_(op), context_(context) {
        if (context.target().has_gpu_feature())
            throw Error("generator " + op.contract.name,
                        "kernels for a GPU are made by ksc, not by Halide's tools");
    }

    std::string name() override { return op_.contract.name; }
    GeneratorContext context() const override { return context_; }
    bool allow_out_of_order_inputs_and_outputs() const override { return false; }
    bool emit_cpp_stub(const std::string &) override { return false; }
    bool emit_hlpipe(const std::string &) override { return false; }

    std::vector<ArgInfo> arginfos() override;
    void set_generatorparam_value(const std::string &param, const std::string &value) override {
        given_[param] = value;
    }
    void set_generatorparam_value(const std::string &param, const LoopLevel &) override {
        throw Error("generator " + name(), param + " is not a loop level");
    }
    Pipeline build_pipeline() override;
    std::vector<Parameter> input_parameter(const std::string &input) override;
    std::vector<Func> output_func(const std::string &output) override;

    void bind_input(const std::string &, const std::vector<Parameter> &) override { refuse_binding(); }
    void bind_input(const std::string &, const std::vector<Func> &) override { refuse_binding(); }
    void bind_input(const std::string &, const std::vector<Expr> &) override { refuse_binding(); }

  private:
    [[noreturn]] void refuse_binding() {
        throw Error("generator " + name(), "inputs cannot be bound to other pipelines");
    }
    Spec spec() const;
    Knobs knobs(const Spec &spec) const;

    const Op &op_;
    GeneratorContext context_;
    std::map<std::string, std::string> given_;
    Kernel kernel_;
};

// The choices and widths among the params given, completed. Throws ks::Error for values that the contract
// refuses.
Spec OpGenerator::spec() const {
    const Contract &c = op_.contract;
    Spec given;
    for (const auto &[param, value] : given_) {
        if (c.choices.count(param)) given.choices[param] = value;
        auto named = [&name = param](const Dimension &dim) { return dim.name == name; };
        if (std::none_of(c.dims.begin(), c.dims.end(), named)) continue;
        if (value.empty() || value.size() > 9 || value.find_first_not_of("0123456789") != std::string::npos)
            throw Error("generator " + c.name, param + "=" + value + " is not a width");
        if (std::stoi(value)) given.fixed[param] = std::stoi(value);
    }
    // What a host with a dot product adds comes last: the choices that are not given are the plain ones.
    const Target &target = context_.target();
    std::vector<Spec> bases = base_specs(
        op_, target.without_feature(Target::AVX512_Zen4).without_feature(Target::AVX512_SapphireRapids));
    if (has_bf16_dot(target))
        for (const Spec &spec : base_specs(op_, target)) bases.push_back(spec);
    for (const Spec &base : bases) {
        auto agrees = [&](const auto &choice) { return base.choices.at(choice.first) == choice.second; };
        if (!std::all_of(given.choices.begin(), given.choices.end(), agrees)) continue;
        given.choices = base.choices;
        break;
    }
    check(c, given); // names the choice that is wrong or, when no base kernel agrees, missing
    return given;
}

Knobs OpGenerator::knobs(const Spec &spec) const {
    Space space = op_.space(spec, context_.target());
    Knobs knobs = space.fallback();
    for (const auto &[param, value] : given_) {
        auto knob = std::find_if(space.knobs().begin(), space.knobs().end(),
                                 [&name = param](const Knob &k) { return k.name == name; });
        if (knob != space.knobs().end()) {
            knob->set(knobs, value);
            continue;
        }
        const auto &dims = op_.contract.dims;
        bool known = spec.choices.count(param) ||
                     std::any_of(dims.begin(), dims.end(),
                                 [&name = param](const auto &dim) { return dim.name == name; });
        if (!known) throw Error("generator " + op_.contract.name, "has no parameter named " + param);
    }
    if (!space.legal(knobs))
        throw Error("generator " + op_.contract.name, "no legal schedule: " + knobs.text());
    return knobs;
}

std::vector<AbstractGenerator::ArgInfo> OpGenerator::arginfos() {
    Spec s = spec();
    std::vector<ArgInfo> inputs, outputs;
    for (const auto &o : op_.contract.operands) {
        bool output = o.role == Role::output;
        (output ? outputs : inputs)
            .push_back({o.name,
                        output ? ArgInfoDirection::Output : ArgInfoDirection::Input,
                        ArgInfoKind::Buffer,
                        {type_of(o.type, s)},
                        static_cast<int>(o.shape.size())});
    }
    for (const auto &v : op_.contract.scalars)
        inputs.push_back({v.name, ArgInfoDirection::Input, ArgInfoKind::Scalar, {type_of(v.type, s)}, 0});
    inputs.insert(inputs.end(), outputs.begin(), outputs.end());
    return inputs;
}

Pipeline OpGenerator::build_pipeline() {
    Spec s = spec();
    kernel_ = op_.build(s, knobs(s), context_.target());
    Pipeline pipeline(kernel_.outputs);
    std::vector<std::shared_ptr<IRMutator>> passes(kernel_.passes.begin(), kernel_.passes.end());
    passes.push_back(std::make_shared<Verify>(kernel_.passes));
    for (const auto &pass : passes)
        pipeline.add_custom_lowering_pass(pass.get(), [pass] {}); // keeps it alive
    return pipeline;
}

// Halide matches parameters by name, so that a fresh one stands for the one inside the kernel.
std::vector<Parameter> OpGenerator::input_parameter(const std::string &input) {
    for (const auto &a : kernel_.arguments)
        if (a.name == input) return {Parameter(a.type, a.is_buffer(), a.dimensions, a.name)};
    throw Error("generator " + name(), "has no input named " + input);
}

std::vector<Func> OpGenerator::output_func(const std::string &output) {
    size_t i = 0;
    for (const auto &o : op_.contract.operands) {
        if (o.role != Role::output) continue;
        if (o.name == output) return {kernel_.outputs.at(i)};
        i++;
    }
    throw Error("generator " + name(), "has no output named " + output);
}

} // namespace

AbstractGeneratorPtr halide_generator(const Op &op, const GeneratorContext &context) {
    return std::make_unique<OpGenerator>(op, context);
}

std::vector<std::string> HalideGenerators::enumerate() const {
    std::vector<std::string> names;
    for (const Op &op : all_ops())
        if (op.x86.build) names.push_back(op.contract.name); // GPU kernels are the work of ksc
    return names;
}

AbstractGeneratorPtr HalideGenerators::create(const std::string &name,
                                              const GeneratorContext &context) const {
    for (const Op &op : all_ops())
        if (op.contract.name == name) return halide_generator(op, context);
    return nullptr;
}

} // namespace ks
