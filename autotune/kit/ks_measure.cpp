// SPDX-License-Identifier: Apache-2.0
// ks_measure: the program inside a measuring kit. It needs the C library alone.
#include "autotune/kit/measure_kit.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

int main(int argc, char **argv) {
    using namespace ks::tune;
    CLI::App app("ks_measure: checks and times the candidates of a measuring kit on this machine");
    MeasureOptions options;
    bool worker = false;
    app.add_option("kit", options.kit, "folder of the kit")->required()->check(CLI::ExistingDirectory);
    app.add_option("--out", options.out, "results, JSON lines (default: results.jsonl in the kit)");
    app.add_option("--limit", options.limit, "seconds for a candidate's checks, and for each sample of it")
        ->check(CLI::Range(0.1, 1e6));
    app.add_flag("--worker", worker, "used by itself")->group("");
    try {
        app.parse(argc, argv);
        if (worker) return kit_worker(options.kit);
        options.worker = {"/proc/self/exe", options.kit, "--worker"};
        std::puts(summary_text(measure_kit(options, std::cerr)).c_str());
        return 0;
    } catch (const CLI::ParseError &e) {
        return app.exit(e) == 0 ? 0 : 2;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "ks_measure: %s\n", e.what());
        return 1;
    }
}
