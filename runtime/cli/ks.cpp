// SPDX-License-Identifier: Apache-2.0
// ks: runs models. Exit status 0, 1 for bad input (one line that names file and cause), 2 for a wrong command
// line.
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include <cstdio>
#include <new>

int main(int argc, char **argv) {
    using namespace ks::cli;
    CLI::App app("ks: runs BlackMamba and Mamba models on the kernels of this pack");
    app.require_subcommand(1);
    Run run;
    for (auto add : {add_generate, add_logits, add_perplexity, add_bench, add_info, add_op, add_tokenize})
        add(app, run);
    try {
        app.parse(argc, argv);
        run();
        if (std::fflush(stdout) != 0 || std::ferror(stdout))
            throw ks::Error("standard output", "cannot be written");
        return 0;
    } catch (const CLI::ParseError &e) {
        return app.exit(e) == 0 ? 0 : 2;
    } catch (const std::bad_alloc &) {
        std::fprintf(stderr, "ks: not enough memory\n");
        return 1;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "ks: %s\n", e.what());
        return 1;
    }
}
