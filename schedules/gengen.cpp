// SPDX-License-Identifier: Apache-2.0
// ks_gengen: Halide's generator program with our ops in it.
//   ks_gengen -g selective_scan -f scan16 -o DIR -e object,c_header,registration target=host io=f32 N=16
#include "schedules/halide_generator.h"
#include <cstdio>
#include <exception>

int main(int argc, char **argv) {
    try {
        return Halide::Internal::generate_filter_main(argc, argv, ks::HalideGenerators());
    } catch (const std::exception &e) {
        std::fprintf(stderr, "ks_gengen: %s\n", e.what());
        return 1;
    }
}
