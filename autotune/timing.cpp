// SPDX-License-Identifier: Apache-2.0
#include "autotune/timing.h"
#include "autotune/kernel_of.h"
#include "autotune/measure.h"
#include "autotune/tasks.h"
#include "runtime/base/error.h"
#include <chrono>
#include <cmath>
#include <dlfcn.h>

namespace ks::tune {

namespace {

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

const Contract &contract_of(const Artefact &a) { return op_named(a.candidate().op).contract; }

// Largest error relative to the largest magnitude; infinity where only one of the two is finite.
double error_of(const Values &got, const Values &wanted) {
    double largest = 0, error = 0;
    for (double w : wanted) largest = std::max(largest, std::abs(w));
    for (size_t i = 0; i < got.size(); i++) {
        double e = std::abs(got[i] - wanted[i]);
        error = std::isfinite(e) ? std::max(error, e) : INFINITY;
    }
    return largest > 0 ? error / largest : error;
}

double tolerance(const Contract &c, const Spec &spec, const std::string &operand) {
    const std::string &type = c.operand(operand).type;
    std::string storage = type == "f32" || type == "i32" ? "f32" : spec.choice(type);
    auto at = c.tolerance.find(storage);
    return (at != c.tolerance.end() ? at : c.tolerance.begin())->second;
}

} // namespace

Artefact::Artefact(Candidate candidate, const std::string &path) : candidate_(std::move(candidate)) {
    library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library_) throw Error(path, dlerror());
    std::string symbol = kernel_of(candidate_).symbol() + "_argv";
    call_ = reinterpret_cast<int (*)(void **)>(dlsym(library_, symbol.c_str()));
    if (!call_) throw Error(path, "has no " + symbol);
}

Artefact::~Artefact() { dlclose(library_); }

double check(const Artefact &a, Problems &problems, const Dims &shape) {
    const Contract &c = contract_of(a);
    const Spec &spec = a.candidate().spec;
    Problem &p = problems.get(c, spec, shape);
    auto where = [&](const std::string &what) { return "wrong at " + dims_text(shape) + ": " + what; };
    a.run(p.arguments(0));
    if (std::string d = p.damage(); !d.empty()) throw Error(where(d));
    double worst = 0;
    std::map<std::string, Values> first;
    for (const auto &[operand, wanted] : problems.answer(p, shape)) {
        first[operand] = p.result(operand);
        double e = error_of(first[operand], wanted), allowed = tolerance(c, spec, operand);
        if (!(e <= allowed))
            throw Error(where(operand + " is off by " + std::to_string(e) + ", allowed is " +
                              std::to_string(allowed)));
        worst = std::max(worst, e / allowed);
    }
    p.reset();
    a.run(p.arguments(0));
    for (const auto &[operand, values] : first)
        if (p.result(operand) != values) throw Error(where(operand + " differs in a second run"));
    for (const Operand &o : c.operands)
        if ((o.role == Role::input || o.role == Role::optional) && p.result(o.name) != p.input(o.name))
            throw Error(where(o.name + ", an input, was written to"));
    return worst;
}

std::vector<std::vector<double>> time(const std::vector<std::unique_ptr<Artefact>> &artefacts,
                                      Problems &problems, const Dims &shape, int rounds) {
    const Spec &spec = artefacts.at(0)->candidate().spec;
    const Contract &c = contract_of(*artefacts[0]);
    Problem &p = problems.get(c, spec, shape, weight_copies(spec, shape));
    int turn = 0;
    // As many calls as make a sample long against the clock and short against other loads.
    std::vector<int> repeats;
    for (const auto &a : artefacts) {
        a->run(p.arguments(turn++));
        double start = now();
        a->run(p.arguments(turn++));
        repeats.push_back(
            static_cast<int>(std::min(1e5, std::max(1.0, 2e-3 / std::max(1e-8, now() - start)))));
    }
    std::vector<std::vector<double>> seconds(artefacts.size());
    for (int r = 0; r < rounds; r++)
        for (size_t i : round_order(artefacts.size(), r)) {
            double start = now();
            for (int n = 0; n < repeats[i]; n++) artefacts[i]->run(p.arguments(turn++));
            seconds[i].push_back((now() - start) / repeats[i]);
        }
    return seconds;
}

} // namespace ks::tune
