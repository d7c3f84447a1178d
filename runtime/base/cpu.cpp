// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/cpu.h"
#include <fstream>
#include <thread>

namespace ks {

bool cpu_has(const std::string &isa) {
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (isa == "avx2") return avx2;
    if (isa != "avx512") return false;
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd");
}

std::string best_isa() { return cpu_has("avx512") ? "avx512" : cpu_has("avx2") ? "avx2" : ""; }

std::string cpu_name() {
    std::ifstream info("/proc/cpuinfo");
    std::string name = "unknown x86 CPU", family, model;
    auto value = [](const std::string &line) {
        size_t at = line.find(": ");
        return at == std::string::npos ? std::string() : line.substr(at + 2);
    };
    for (std::string line; std::getline(info, line) && !line.empty();) {
        if (line.rfind("model name", 0) == 0) name = value(line);
        else if (line.rfind("cpu family", 0) == 0) family = value(line);
        else if (line.rfind("model\t", 0) == 0) model = value(line);
    }
    // Guests often see a shortened name; family and model say which core it is.
    return name + " (family " + family + ", model " + model + "), " +
           std::to_string(std::thread::hardware_concurrency()) + " threads";
}

} // namespace ks
