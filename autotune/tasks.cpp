// SPDX-License-Identifier: Apache-2.0
#include "autotune/tasks.h"
#include "autotune/cases/problem.h"
#include "autotune/kernel_of.h"
#include "autotune/work.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks::tune {

namespace {

// Ends and middles of the intervals that dispatch may use. Decode is one row, prefill up to a chunk of 512
// rows; on a GPU, where a call has those of a whole batch, of 16384.
std::vector<int64_t> ladder_of(const Contract &c, const Spec &spec, const std::string &dim, bool gpu) {
    using Ladder = std::vector<int64_t>;
    if (cases::takes_tiles(c)) { // from half a tile to many of each expert
        int64_t slots = spec.fixed.at("B");
        return {std::max<int64_t>(slots / 2, 1), 2 * slots, 8 * slots, 128 * slots};
    }
    if (dim == "T") return {1, 32, 512};
    if (dim == "S") return gpu ? Ladder{1, 8, 64, 128} : Ladder{1, 4, 16};
    return gpu ? Ladder{1, 8, 64, 512, 2048, 16384} : Ladder{1, 8, 64, 512};
}

// Shapes of an op with a ragged axis on a GPU, where one call has all sequences: batches of equal ones, `dim`
// long in all. For each number of sequences the ends and a middle of an interval, which begins at short
// prompts.
std::vector<Dims> batches(const std::string &dim) {
    const std::vector<std::pair<int64_t, std::vector<int64_t>>> steps_of = {
        {1, {64, 256, 512, 2048}}, {8, {64, 512, 2048}}, {64, {8, 64, 512}}};
    std::vector<Dims> shapes;
    for (const auto &[sequences, lengths] : steps_of)
        for (int64_t steps : lengths) shapes.push_back({{dim, sequences * steps}, {"sequences", sequences}});
    return shapes;
}

// Where tiles and tails go wrong: one, primes, neighbours of powers of two.
std::vector<Dims> edges(const std::string &dim) {
    std::vector<Dims> shapes;
    for (int64_t n : {1, 2, 3, 5, 7, 8, 12, 13, 17, 31, 33, 64, 129, 257}) shapes.push_back({{dim, n}});
    return shapes;
}

std::vector<Dims> check_shapes_of(const Contract &c, const std::string &vary, bool packed) {
    if (cases::takes_tiles(c)) // the weights of all experts take seconds to fill
        return {{{vary, 1}}, {{vary, 7}}, {{vary, 33}}, {{vary, 257}}};
    std::vector<Dims> shapes = edges(vary);
    for (size_t i = 0; packed && i < shapes.size(); i++) {
        int64_t sequences = i % 3 ? 1 : 3;
        shapes[i]["sequences"] = sequences, shapes[i][vary] *= sequences;
    }
    return shapes;
}

// The dimension that varies from call to call; expert_down's T only says how large y is.
std::string dynamic_dim(const Contract &c) {
    for (const char *name : {"R", "M", "S", "T"})
        for (const auto &d : c.dims)
            if (d.name == name && !d.width) return name;
    throw Error(c.name, "has no dimension that varies per call");
}

// A pack holds several panel widths; the first legal one is what weights are packed in.
std::string default_choice(const Op &op, const Spec &so_far, const std::string &choice,
                           const std::string &isa) {
    for (const Spec &base : base_specs(op, kernel_target(isa))) {
        bool match = true;
        for (const auto &[name, value] : so_far.choices) match &= base.choices.at(name) == value;
        if (match) return base.choices.at(choice);
    }
    throw Error(op.contract.name, "the pack has no base kernel for " + so_far.text());
}

} // namespace

std::string compiler_version(const std::string &isa) {
    std::string ptxas;
    if (isa == "cuda")
        if (auto found = ptx::Ptxas::find()) ptxas = " ptxas " + found->version();
    return "halide " + std::to_string(HALIDE_VERSION_MAJOR) + "." + std::to_string(HALIDE_VERSION_MINOR) +
           "." + std::to_string(HALIDE_VERSION_PATCH) + ptxas;
}

Task task_of(const std::string &name, const std::map<std::string, std::string> &shape,
             const std::string &isa) {
    const Op &op = op_named(name);
    const Contract &c = op.contract;
    if (!can_tune(name)) throw Error(name, "cannot be tuned: its schedule has no knobs that matter");
    Task t;
    t.op = name;
    Dims dynamic;
    for (const auto &[key, value] : shape) {
        if (c.choices.count(key)) {
            t.spec.choices[key] = value;
            continue;
        }
        if (key == "sequences" && !c.ragged.empty() && isa == "cuda") { // in one call
            dynamic[key] = parse_dims(key + "=" + value).at(key);
            continue;
        }
        const Dimension &d = c.dim(key);
        (d.width ? t.spec.fixed : dynamic)[key] = parse_dims(key + "=" + value).at(key);
    }
    t.isa = kernel_isa(c, t.spec, isa);
    for (const auto &[choice, values] : c.choices)
        if (!t.spec.choices.count(choice)) t.spec.choices[choice] = default_choice(op, t.spec, choice, t.isa);
    for (const auto &d : c.dims)
        if (d.width && !t.spec.fixed.count(d.name)) throw Error(name, "the shape lacks the width " + d.name);
    check(c, t.spec);
    std::string vary = dynamic_dim(c);
    bool packed = isa == "cuda" && !c.ragged.empty();
    if (packed) dynamic.emplace("sequences", 1);
    if (dynamic.count(vary))
        t.shapes = {dynamic};
    else if (packed)
        t.shapes = batches(vary);
    else
        for (int64_t n : ladder_of(c, t.spec, vary, isa == "cuda")) t.shapes.push_back({{vary, n}});
    t.check_shapes = check_shapes_of(c, vary, packed);
    t.space = space_of(name, t.spec, t.isa);
    // The default of kernels that know these widths, which may be another schedule, and what a pack has.
    const Halide::Target target = kernel_target(t.isa);
    auto suggest = [&](Knobs k, const char *widths) {
        k.set("widths", widths);
        if (t.space.legal(k) && !(k == t.space.fallback())) t.suggested.push_back(k);
    };
    suggest(op.space(t.spec, target).fallback(), "fixed");
    for (const UsualKernel &usual : usual_kernels(op, {t.spec.choices, {}}, target))
        if (usual.spec.serves(t.spec)) suggest(usual.knobs, "any");
    t.versions = {c.version, compiler_version(t.isa)};
    t.device = cpu_name();
    return t;
}

void add_task(std::vector<Task> &tasks, Task task) {
    auto same = std::find_if(tasks.begin(), tasks.end(), [&](const Task &t) {
        return t.op == task.op && t.isa == task.isa && t.spec.text() == task.spec.text();
    });
    if (same == tasks.end()) return tasks.push_back(std::move(task));
    for (Dims &shape : task.shapes)
        if (std::find(same->shapes.begin(), same->shapes.end(), shape) == same->shapes.end())
            same->shapes.push_back(std::move(shape));
}

} // namespace ks::tune
