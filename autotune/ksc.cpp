// SPDX-License-Identifier: Apache-2.0
// ksc: the compiler and tuner.
#include "autotune/pack/build.h"
#include "runtime/base/error.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <thread>

namespace {

struct PackOptions {
    std::string folder;
    std::vector<std::string> isas = {"avx2", "avx512"};
    int jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
};

void pack(const PackOptions &o) {
    auto progress = [](size_t done, size_t all) {
        if (done % 10 == 0 || done == all)
            std::fprintf(stderr, "ksc pack: %zu of %zu kernels built\n", done, all);
    };
    ks::pack::build_pack(ks::pack::base_kernels(o.isas), o.folder, o.jobs, progress);
}

} // namespace

int main(int argc, char **argv) {
    CLI::App app("ksc: compiles and tunes Kingsnake's kernels");
    app.require_subcommand(1);
    PackOptions pack_options;
    CLI::App *pack_verb =
        app.add_subcommand("pack", "build a kernel pack: archive, C header, dispatch table");
    pack_verb->add_option("--out", pack_options.folder, "folder of the pack")->required();
    pack_verb->add_option("--isa", pack_options.isas, "instruction sets")->delimiter(',');
    pack_verb->add_option("-j,--jobs", pack_options.jobs, "processes that compile")
        ->check(CLI::Range(1, 256));
    try {
        app.parse(argc, argv);
        if (*pack_verb) pack(pack_options);
        return 0;
    } catch (const CLI::ParseError &e) {
        return app.exit(e) == 0 ? 0 : 2;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "ksc: %s\n", e.what());
        return 1;
    }
}
