// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include <map>

namespace ks::bench {

namespace {

std::map<std::string, void (*)(Benchmarks &)> &registered() {
    static std::map<std::string, void (*)(Benchmarks &)> files;
    return files;
}

} // namespace

Registration::Registration(const char *file, void (*add)(Benchmarks &list)) { registered()[file] = add; }

Benchmarks all_benchmarks() {
    Benchmarks list;
    for (const auto &[file, add] : registered()) add(list);
    return list;
}

} // namespace ks::bench
