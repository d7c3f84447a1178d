// SPDX-License-Identifier: Apache-2.0
// ksc: the compiler and tuner.
#include "autotune/kit/measure_kit.h"
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
    verb->add_option("--isa", o.isa, "instruction set (default: the best of this CPU)")
        ->check(CLI::IsMember(ks::all_targets()));
    verb->add_option_function<std::string>(
            "--device",
            [&o](const std::string &d) {
                if (d == "cuda") o.isa = d;
            },
            "cpu (the default) or cuda")
        ->check(CLI::IsMember({"cpu", "cuda"}));
    verb->add_option("--seed", o.seed, "of the search");
    verb->add_option("-j,--jobs", o.jobs, "processes that compile")->check(CLI::Range(1, 256));
    verb->add_flag("--dry-run", o.dry_run, "print the space and the estimated time");
    verb->callback([=, &o, &places, &run] {
        if (op->empty() && model->empty()) throw CLI::RequiredError("--op or --model");
        run = [&] { tune_verb(o, places); };
    });
}

void add_bundle(CLI::App &app, BundleVerbOptions &o, const Places &places, std::function<void()> &run) {
    CLI::App *verb = app.add_subcommand("bundle", "build candidates into a kit, to be measured elsewhere");
    verb->add_option("--out", o.out, "folder of the kit, or a file *.tar")->required();
    auto *op = verb->add_option("--op", o.ops, "an op; may be given again");
    auto *shape =
        verb->add_option("--shape", o.shapes, "its widths and choices, as for tune; one for each --op");
    auto *model = verb->add_option("--model", o.model, "every op and shape of this model folder");
    shape->needs(op);
    verb->add_option("--table", o.table, "a dispatch table whose winners are tried first");
    verb->add_option("--isa", o.isas, "instruction sets (default: avx2,avx512)")
        ->delimiter(',')
        ->check(CLI::IsMember(ks::all_targets()));
    verb->add_option("--candidates", o.candidates, "of each op and shape at most, the default included")
        ->check(CLI::Range(1, 100000));
    verb->add_option("--device", o.device, "go on from the samples of this device (part of its name)");
    verb->add_option("--dtype", o.dtype, "storage of weights (default: the model's)")
        ->check(CLI::IsMember({"f32", "bf16", "f16"}));
    verb->add_option("--seed", o.seed, "of the choice of candidates");
    verb->add_option("-j,--jobs", o.jobs, "processes that compile")->check(CLI::Range(1, 256));
    verb->callback([=, &o, &places, &run] {
        if (op->empty() && model->empty()) throw CLI::RequiredError("--op or --model");
        run = [&] { bundle_verb(o, places); };
    });
}

void add_measure(CLI::App &app, MeasureOptions &o, std::function<void()> &run) {
    CLI::App *verb = app.add_subcommand("measure", "measure a kit here, as the ks_measure in it does");
    verb->add_option("kit", o.kit, "its folder")->required()->check(CLI::ExistingDirectory);
    verb->add_option("--out", o.out, "results, JSON lines (default: results.jsonl in the kit)");
    verb->add_option("--limit", o.limit, "seconds for a candidate's checks, and for each sample of it")
        ->check(CLI::Range(0.1, 1e6));
    verb->callback([&] { run = [&] { measure_verb(o); }; });
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

    BundleVerbOptions bundle;
    bundle.jobs = cores;
    add_bundle(app, bundle, places, run);
    MeasureOptions measure;
    add_measure(app, measure, run);

    std::vector<std::string> files;
    std::string kit, table, device;
    CLI::App *bring =
        app.add_subcommand("import", "take the results of kits in, and make their device's table");
    bring->add_option("results", files, "JSON lines of ks_measure")->required()->check(CLI::ExistingFile);
    bring->add_option("--kit", kit, "folder of the kit, when it was bundled elsewhere")
        ->check(CLI::ExistingDirectory);
    bring->add_option("--table", table, "dispatch table (default: the device's, beside the store)");
    bring->callback([&] { run = [&] { import_verb(files, kit, table, places); }; });

    CLI::App *dispatch =
        app.add_subcommand("dispatch", "make the dispatch table of a device from its samples");
    dispatch->add_option("--device", device, "part of its name (default: this CPU)");
    dispatch->add_option("--table", table, "file (default: the device's, beside the store)");
    dispatch->callback([&] { run = [&] { dispatch_verb(device, table, places); }; });

    PackOptions pack;
    pack.jobs = cores;
    CLI::App *pack_app = app.add_subcommand("pack", "build a kernel pack: archive, C header, dispatch table");
    pack_app->add_option("--out", pack.folder, "folder of the pack")->required();
    pack_app->add_option("--table", pack.tables,
                         "dispatch tables of tuned kernels: of this CPU, and of any GPUs; may be missing");
    pack_app
        ->add_option("--isa", pack.isas, "instruction sets (default: all, and cuda where there is a ptxas)")
        ->delimiter(',')
        ->check(CLI::IsMember(ks::all_targets()));
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
    why->add_option("--isa", why_isa, "instruction set (default: the best of this CPU)")
        ->check(CLI::IsMember(ks::all_targets()));
    why->callback([&] { run = [&] { why_verb(why_op, why_shape, why_isa, places); }; });

    app.add_subcommand("build-worker", "used by tune")->group("")->callback([&] {
        run = [&] { status = build_worker(); };
    });
    CLI::App *kit_app = app.add_subcommand("kit-worker", "used by measure")->group("");
    kit_app->add_option("kit", kit)->required();
    kit_app->callback([&] { run = [&] { status = kit_worker(kit); }; });
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
