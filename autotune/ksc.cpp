// SPDX-License-Identifier: Apache-2.0
// ksc: the compiler and tuner.
#include "autotune/verbs.h"
#include "autotune/workers.h"
#include "schedules/registry.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <thread>

namespace {

using namespace ks::tune;

void add_tune(CLI::App &app, TuneOptions &o, const Places &places, std::function<void()> &run) {
    CLI::App *verb = app.add_subcommand("tune", "search schedules on this CPU");
    auto *op = verb->add_option("--op", o.op, "one op");
    verb->add_option("--shape", o.shape,
                     "its widths, choices and (optional) dynamic dimension: K=256,P=32,weight=bf16")
        ->needs(op);
    auto *model =
        verb->add_option("--model", o.model, "every op and shape of this model folder")->excludes(op);
    verb->add_option("--budget", o.budget, "seconds in all")->check(CLI::Range(1.0, 1e7));
    verb->add_option("--dtype", o.dtype, "storage of weights (default: the model's)")
        ->check(CLI::IsMember({"f32", "bf16", "f16"}));
    verb->add_option("--isa", o.isa, "avx2, avx512 or avx512_bf16 (default: the best here)")
        ->check(CLI::IsMember(ks::all_isas()));
    verb->add_option("--seed", o.seed, "of the search");
    verb->add_option("-j,--jobs", o.jobs, "processes that compile")->check(CLI::Range(1, 256));
    verb->add_flag("--dry-run", o.dry_run, "print the space and the estimated time");
    verb->callback([=, &o, &places, &run] {
        if (op->empty() && model->empty()) throw CLI::RequiredError("--op or --model");
        run = [&] { tune_verb(o, places); };
    });
}

} // namespace

int main(int argc, char **argv) {
    CLI::App app("ksc: compiles and tunes Kingsnake's kernels");
    app.require_subcommand(1);
    Places places = default_places();
    app.add_option("--tuned", places.folder, "folder of samples and findings");
    std::function<void()> run;
    int status = 0;

    const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    TuneOptions tune;
    tune.jobs = cores;
    add_tune(app, tune, places, run);

    PackOptions pack;
    pack.jobs = cores;
    CLI::App *pack_app = app.add_subcommand("pack", "build a kernel pack: archive, C header, dispatch table");
    pack_app->add_option("--out", pack.folder, "folder of the pack")->required();
    pack_app->add_option("--table", pack.table, "dispatch table of tuned kernels; may be missing");
    pack_app->add_option("--isa", pack.isas, "instruction sets")
        ->delimiter(',')
        ->check(CLI::IsMember(ks::all_isas()));
    pack_app->add_option("-j,--jobs", pack.jobs, "processes that compile")->check(CLI::Range(1, 256));
    pack_app->callback([&] { run = [&] { pack_verb(pack); }; });

    app.add_subcommand("show", "the dispatch rules and their evidence")->callback([&] {
        run = [&] { show_verb(places); };
    });

    std::string why_op, why_shape, why_isa;
    CLI::App *why = app.add_subcommand("why", "which kernel a call runs on, and why");
    why->add_option("op", why_op)->required();
    why->add_option("shape", why_shape, "all dimensions and choices: M=1,K=256,P=32,panel=32,weight=bf16")
        ->required();
    why->add_option("--isa", why_isa, "avx2, avx512 or avx512_bf16 (default: the best here)");
    why->callback([&] { run = [&] { why_verb(why_op, why_shape, why_isa, places); }; });

    app.add_subcommand("build-worker", "used by tune")->group("")->callback([&] {
        run = [&] { status = build_worker(); };
    });
    app.add_subcommand("measure-worker", "used by tune")->group("")->callback([&] {
        run = [&] {
            status = measure_worker(
                [](const std::string &op) -> const ks::Contract & { return ks::op_named(op).contract; });
        };
    });
    try {
        app.parse(argc, argv);
        run();
        return status;
    } catch (const CLI::ParseError &e) {
        return app.exit(e) == 0 ? 0 : 2;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "ksc: %s\n", e.what());
        return 1;
    }
}
