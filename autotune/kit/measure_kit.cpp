// SPDX-License-Identifier: Apache-2.0
#include "autotune/kit/measure_kit.h"
#include "autotune/kit/environment.h"
#include "autotune/kit/task_run.h"
#include "autotune/workers.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <fmt/format.h>

namespace ks::tune {

namespace {

// The devices of this machine for the instruction sets of the kit.
std::map<std::string, std::string> devices_for(const Manifest &m) {
    std::map<std::string, std::string> devices;
    for (const KitTask &t : m.tasks) {
        bool known = std::count(all_targets().begin(), all_targets().end(), t.isa) > 0;
        if (known && device_for(t.isa).runs(t.isa)) devices[t.isa] = device_for(t.isa).name();
    }
    return devices;
}

void refuse_others(const Results &known, const std::string &path, const RunRecord &now) {
    for (const RunRecord &r : known.runs) {
        if (r.kit != now.kit) throw Error(path, "holds results of another kit (" + r.kit + ")");
        for (const auto &[isa, device] : r.devices)
            if (auto here = now.devices.find(isa); here == now.devices.end() || here->second != device)
                throw Error(path, "holds results of another device: " + device);
    }
}

} // namespace

std::string summary_text(const MeasureSummary &s) {
    return fmt::format("{} candidates of {} tasks measured, {} lost, {} tasks skipped", s.candidates - s.lost,
                       s.tasks, s.lost, s.skipped);
}

MeasureSummary measure_kit(const MeasureOptions &options, std::ostream &log) {
    Manifest manifest = load_manifest(options.kit);
    std::string path = options.out.empty() ? options.kit + "/results.jsonl" : options.out;
    ResultsFile file(path);
    Results known = read_results(path);
    RunRecord now{manifest.id(), utc_now(), devices_for(manifest), environment()};
    refuse_others(known, path, now);
    if (now.devices.empty()) throw Error(options.kit, "has no candidate that this machine runs");
    file.add(now);
    MeasureSummary sum;
    for (size_t i = 0; i < manifest.tasks.size(); i++) {
        const KitTask &t = manifest.tasks[i];
        sum.tasks++;
        log << fmt::format("{} of {}: {}: {} candidates\n", i + 1, manifest.tasks.size(), t.text(),
                           t.candidates.size())
            << std::flush;
        if (!now.devices.count(t.isa)) {
            log << "    skipped: not for this machine\n" << std::flush;
            sum.skipped++;
            continue;
        }
        TaskRun task(manifest, i, options, known, file, log);
        try {
            task.run();
            sum.candidates += t.candidates.size(), sum.lost += task.lost();
            if (!task.default_lost()) continue;
            log << "    skipped: the default does not pass, so nothing can be compared\n" << std::flush;
        } catch (const Unprepared &e) {
            log << fmt::format("    skipped: {}\n", e.what()) << std::flush;
        }
        sum.skipped++;
    }
    file.end();
    return sum;
}

int kit_worker(const std::string &kit) {
    Manifest manifest = load_manifest(kit);
    return measure_worker([&](const std::string &op) -> const Contract & { return manifest.contract(op); });
}

} // namespace ks::tune
