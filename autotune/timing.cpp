// SPDX-License-Identifier: Apache-2.0
#include "autotune/timing.h"
#include "autotune/candidate.h"
#include "autotune/cases/difference.h"
#include "autotune/measure.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace ks::tune {

namespace {

constexpr double sample_seconds = 2e-3; // long against the clock, short against other loads
constexpr int threads = 2;              // whose parts are checked

// One run in parts, compared with the oracle; the largest error over what is allowed.
class Checker {
  public:
    Checker(const Artefact &artefact, const Dims &shape, cases::Call &call, const Problems::Answer &answer)
        : artefact_(artefact), shape_(shape), call_(call), wanted_(answer.values), slack_(answer.slack) {}

    // Results as they lie in memory.
    using Stored = std::map<std::string, std::vector<uint8_t>>;

    Stored run(const std::vector<cases::Part> &parts) {
        call_.reset();
        for (const auto &part : parts) artefact_.run(call_.arguments(part));
        call_.device().wait();
        if (std::string d = call_.damage(); !d.empty()) fail(d);
        Stored got;
        for (const auto &[operand, values] : wanted_) got[operand] = call_.stored(operand);
        return got;
    }

    double worst(const Stored &got, const char *how) const {
        double worst = 0;
        const cases::Problem &p = call_.problem();
        for (const auto &[operand, wanted] : wanted_) {
            const Operand &o = p.contract->operand(operand);
            double allowed = allowed_error(p, o, wanted) * slack_;
            cases::Difference d =
                cases::largest_difference(p.storage(o), got.at(operand).data(), wanted, allowed);
            if (d.first)
                fail(fmt::format("{}[{}] is {:g}, not {:g} within {:g}{}", operand, *d.first, d.is,
                                 wanted[*d.first], allowed, how));
            if (allowed > 0) worst = std::max(worst, d.largest / allowed);
        }
        return worst;
    }

    [[noreturn]] void fail(const std::string &what) const {
        throw Error("wrong at " + dims_text(shape_), what);
    }

  private:
    const Artefact &artefact_;
    const Dims &shape_;
    cases::Call &call_;
    const cases::Results &wanted_;
    double slack_;
};

cases::Call &timed_call(const Subject &s, Problems &problems, const Dims &shape, Caches caches) {
    cases::Call &once = problems.get(s.contract, s.spec, s.isa, shape);
    cases::Copies copies = copies_for(caches, s.spec, shape, once.bytes(), once.device());
    cases::Call &call = problems.get(s.contract, s.spec, s.isa, shape, copies);
    if (copies.others == 1) call.reset(); // states go on from call to call: begin all alike
    return call;
}

} // namespace

void prepare_timing(const Subject &s, Problems &problems, const Dims &shape, Caches caches) {
    timed_call(s, problems, shape, caches);
}

void prepare(const Subject &s, Problems &problems, const Dims &shape) {
    problems.answer(problems.get(s.contract, s.spec, s.isa, shape), shape);
}

void prepare(const Subject &s, Problems &problems, const Dims &shape, const Artefact &reference) {
    cases::Call &call = problems.get(s.contract, s.spec, s.isa, shape);
    if (problems.has_answer(shape)) return;
    call.reset();
    reference.run(call.arguments());
    call.device().wait();
    cases::Results given;
    for (const Operand &o : s.contract.operands)
        if (cases::written(o)) given[o.name] = call.result(o.name);
    problems.adopt(shape, std::move(given));
}

double check(const Artefact &a, const Subject &s, Problems &problems, const Dims &shape) {
    cases::Call &call = problems.get(s.contract, s.spec, s.isa, shape);
    Checker checker(a, shape, call, problems.answer(call, shape));
    Checker::Stored first = checker.run({{}});
    double worst = checker.worst(first, "");
    std::vector<cases::Part> parts = call.parts(threads);
    if (parts.size() > 1)
        worst = std::max(worst, checker.worst(checker.run(parts), ", cut as for two threads"));
    for (const auto &[operand, bytes] : checker.run({{}}))
        if (bytes != first.at(operand)) checker.fail(operand + " differs in a second run");
    return worst;
}

std::vector<std::vector<double>> time(const std::vector<std::unique_ptr<Artefact>> &artefacts,
                                      const Subject &s, Problems &problems, const Dims &shape, Caches caches,
                                      int rounds) {
    cases::Call &call = timed_call(s, problems, shape, caches);
    Device &device = call.device();
    // As many calls as make a sample long enough.
    std::vector<int> repeats;
    for (const auto &a : artefacts) {
        device.seconds([&] { a->run(call.next()); });
        double once = device.seconds([&] { a->run(call.next()); });
        repeats.push_back(static_cast<int>(std::clamp(sample_seconds / std::max(1e-8, once), 1.0, 1e5)));
    }
    return interleave(artefacts.size(), rounds, [&](size_t i) {
        return device.seconds([&] {
            for (int n = 0; n < repeats[i]; n++) artefacts[i]->run(call.next());
        }) / repeats[i];
    });
}

} // namespace ks::tune
