// SPDX-License-Identifier: Apache-2.0
#include "autotune/recorded.h"
#include "autotune/intervals.h"
#include "autotune/kernel_of.h"
#include "autotune/tasks.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace ks::tune {

namespace {

using Batch = std::map<std::string, std::vector<double>>; // seconds by candidate

Task task_like(const Candidate &c, const Environment &e) {
    Task t;
    t.op = c.op, t.spec = c.spec, t.isa = c.isa;
    t.space = space_of(c.op, c.spec, c.isa);
    t.versions = {e.op_version, e.compiler};
    t.device = e.device;
    return t;
}

// Final rounds of one kernel in the order in which they were measured, by shape.
struct Finals {
    Task task;
    std::string fallback; // its identity
    std::map<Dims, std::vector<Batch>> batches;
};

// All candidates of all batches beside each other: each as fast as it was in its newest batch, measured by
// the default of that batch. Rounds in which the newest default has no partner are left out.
Batch as_one(const std::vector<Batch> &batches, const std::string &fallback) {
    std::vector<double> reference = batches.back().at(fallback);
    for (const Batch &b : batches) reference.resize(std::min(reference.size(), b.at(fallback).size()));
    Batch all;
    for (const Batch &b : batches)
        for (const auto &[id, samples] : b) {
            std::vector<double> &seconds = all[id];
            seconds.clear();
            for (size_t i = 0; i < std::min(reference.size(), samples.size()); i++)
                seconds.push_back(samples[i] / b.at(fallback)[i] * reference[i]);
        }
    return all;
}

ShapeResult judged(const Finals &f, const Dims &shape, const Batch &batch,
                   const std::map<std::string, Candidate> &candidates) {
    std::vector<Knobs> in = {f.task.space.fallback()};
    std::vector<std::vector<double>> seconds(1);
    for (const auto &[id, samples] : batch) {
        const Knobs &k = candidates.at(id).knobs;
        if (k == in[0])
            seconds[0] = samples;
        else if (f.task.space.legal(k))
            in.push_back(k), seconds.push_back(samples);
    }
    return judge(f.task, shape, in, seconds);
}

} // namespace

std::vector<Recorded> recorded_results(const Store &store, const std::string &device) {
    std::vector<Recorded> all;
    for (const auto &[key, e] : store.environments()) {
        if (e.device != device || e.compiler != compiler_version(e.isa) ||
            e.op_version != op_named(e.op).contract.version)
            continue;
        std::map<std::string, Candidate> candidates;
        for (Candidate &c : store.candidates(e)) candidates[identity(c, {e.op_version, e.compiler})] = c;
        std::map<int64_t, std::pair<Dims, Batch>> batches;
        for (const Sample &s : store.samples(key)) {
            if (s.role != "final" || !candidates.count(s.candidate)) continue;
            batches[s.batch].first = parse_dims(s.shape);
            batches[s.batch].second[s.candidate].push_back(s.seconds);
        }
        std::map<std::string, Finals> kernels;
        for (const auto &[number, b] : batches) {
            const Candidate &any = candidates.at(b.second.begin()->first);
            Finals &f = kernels[any.spec.text()];
            if (f.task.op.empty()) f.task = task_like(any, e);
            f.fallback = identity({any.op, any.spec, any.isa, f.task.space.fallback()}, f.task.versions);
            if (b.second.count(f.fallback)) f.batches[b.first].push_back(b.second);
        }
        for (auto &[text, f] : kernels) {
            Recorded r{f.task, {}};
            for (const auto &[shape, list] : f.batches) {
                r.task.shapes.push_back(shape);
                r.result.shapes.push_back(judged(f, shape, as_one(list, f.fallback), candidates));
            }
            if (!r.result.shapes.empty()) all.push_back(std::move(r));
        }
    }
    return all;
}

std::vector<std::string> devices_like(const Store &store, const std::string &part) {
    std::set<std::string> names;
    for (const auto &[key, e] : store.environments())
        if (e.device.find(part) != std::string::npos && !store.samples(key).empty()) names.insert(e.device);
    return {names.begin(), names.end()};
}

std::string device_like(const Store &store, const std::string &part) {
    std::vector<std::string> names = devices_like(store, part);
    if (std::count(names.begin(), names.end(), part)) return part;
    if (names.size() == 1) return names[0];
    std::vector<std::string> all = names.empty() ? devices_like(store, "") : names;
    throw Error("device " + part, names.empty()
                                      ? fmt::format("is none of {}: {}", all.size(), fmt::join(all, "; "))
                                      : fmt::format("may be {}", fmt::join(all, " or ")));
}

void put_recorded(Table &table, const std::vector<Recorded> &recorded, const std::string &date) {
    for (const Recorded &r : recorded)
        table.replace(make_tuned(r.task, r.result, date), make_rules(r.task, r.result, date));
}

} // namespace ks::tune
