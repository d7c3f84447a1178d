// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/op.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include "runtime/kernels/choose.h"
#include "runtime/kernels/staged.h"
#include "runtime/model/ops.h"
#include <algorithm>
#include <regex>

namespace ks::cli {

namespace {

struct Options {
    std::string op, in, out, isa, device = "cpu";
    int threads = 0;
    Choices given; // by flag
};

std::string joined(const std::vector<std::string> &values, const char *between) {
    std::string text;
    for (const auto &v : values) text += (text.empty() ? "" : between) + v;
    return text;
}

const OpEntry &entry_of(const std::string &op) {
    std::vector<std::string> known;
    for (const OpEntry &e : op_entries()) {
        if (e.name == op) return e;
        known.emplace_back(e.name);
    }
    throw Error("op " + op, "is not one of " + joined(known, ", "));
}

// The choices of an op: what was given, else defaults. Throws CLI::ValidationError for a flag or value that
// the op does not have: a wrong command line.
Choices complete(const OpEntry &op, const Choices &given) {
    Choices choices;
    for (const auto &[name, values] : op.choices) choices[name] = values.front();
    for (const auto &[name, value] : given) {
        auto known = op.choices.find(name);
        if (known == op.choices.end())
            throw CLI::ValidationError("--" + name, std::string("is not a flag of ") + op.name);
        const auto &values = known->second;
        if (std::find(values.begin(), values.end(), value) == values.end())
            throw CLI::ValidationError("--" + name, value + " is not one of " + joined(values, ", "));
        choices[name] = value;
    }
    return choices;
}

// "cpu", "cuda" or "cuda:1".
void set_device(ks_create_args &create, const Options &o) {
    create.isa = o.isa.empty() ? nullptr : o.isa.c_str();
    if (o.device == "cpu") return;
    if (!o.isa.empty()) throw CLI::ValidationError("--isa", "is of the CPU; a GPU says itself what it runs");
    create.isa = "cuda";
    if (o.device != "cuda") create.device = std::stoi(o.device.substr(o.device.find(':') + 1));
}

void run_op(const Options &o) {
    const OpEntry &op = entry_of(o.op);
    Choices choices = complete(op, o.given);
    Inputs in(o.in);
    auto create = model::arguments<ks_create_args>();
    create.threads = o.threads;
    set_device(create, o);
    ks_library *library = nullptr;
    model::check(ks_create(&create, &library));
    std::unique_ptr<ks_library, void (*)(ks_library *)> owner(library, ks_destroy);
    std::vector<Result> results = op.run(*library, in, choices);
    std::vector<io::Tensor> tensors;
    for (const Result &r : results)
        tensors.push_back(r.integers.empty() ? io::tensor_of(r.name, r.values, r.shape)
                                             : io::tensor_of(r.name, r.integers, r.shape));
    io::write_npz(o.out, tensors);
}

// Every op on lines of its own.
std::string list_of_ops() {
    std::string text =
        "Ops, what they read and write (?: may be missing), and their flags (first value: default):\n";
    for (const OpEntry &op : op_entries()) {
        text += std::string("  ") + op.name + ": " + op.arrays + "\n";
        for (const auto &[name, values] : op.choices)
            text += "      --" + name + " " + joined(values, "|") + "\n";
    }
    return text;
}

} // namespace

void run_kernel(const ks_library &library, const Inputs &in, const char *op, const void *args) {
    if (launch_staged(&library, op_index(op), args) != KS_OK) throw Error(in.path(), ks_last_error());
}

void add_op(CLI::App &app, Run &run) {
    auto o = std::make_shared<Options>();
    CLI::App *verb = app.add_subcommand("op", "run one kernel of the pack on arrays from a file");
    verb->footer(list_of_ops());
    verb->add_option("op", o->op, "one of the list below")->required();
    verb->add_option("--in", o->in,
                     "npz with the operands, or for sinkhorn and router an npy with the logits")
        ->required();
    verb->add_option("--out", o->out, "npz to write")->required();
    verb->add_option("-t,--threads", o->threads, "threads (default: one per core)")
        ->check(CLI::Range(1, 1024));
    verb->add_option("--isa", o->isa, "instruction set (default: the best of this CPU)")
        ->check(CLI::IsMember(all_isas()));
    verb->add_option("--device", o->device, "cpu (the default), cuda, or cuda:N for the GPU of that number")
        ->check([](const std::string &v) {
            static const std::regex known("cpu|cuda(:[0-9]{1,3})?");
            return std::regex_match(v, known) ? "" : v + " is none of cpu, cuda, cuda:N";
        });
    const std::map<std::string, const char *> flags = {
        {"io", "storage of activations"},
        {"weight", "storage of weights"},
        {"act", "activation"},
        {"delta", "what makes the step of dt"},
        {"rounding", "of the sum before a norm and of y; hf_*: of the normalised value too"},
        {"score", "what makes the gate of the logits"}};
    for (const auto &[name, help] : flags)
        verb->add_option_function<std::string>(
            "--" + name, [o, flag = name](const std::string &value) { o->given[flag] = value; }, help);
    verb->callback([o, &run] { run = [o] { run_op(*o); }; });
}

} // namespace ks::cli
