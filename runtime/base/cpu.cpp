// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/cpu.h"
#include <fstream>
#include <thread>

namespace ks {

bool cpu_has(const std::string &isa) {
    __builtin_cpu_init();
    bool avx2 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (isa == "avx2") return avx2;
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512cd");
    if (isa == "avx512") return avx512;
    if (isa != "avx512_bf16") return false;
    // All that the code generator may use for a CPU with the bf16 dot product: Zen 4, Sapphire Rapids and
    // later.
    return avx512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
           __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512bitalg") &&
           __builtin_cpu_supports("avx512vpopcntdq");
}

bool isa_runs(const std::string &isa, const std::string &kernel_isa) {
    return isa == kernel_isa || (isa == "avx512_bf16" && kernel_isa == "avx512");
}

const std::vector<std::string> &all_isas() {
    static const std::vector<std::string> list = {"avx2", "avx512", "avx512_bf16"};
    return list;
}

const std::vector<std::string> &all_targets() {
    static const std::vector<std::string> list = [] {
        std::vector<std::string> targets = all_isas();
        targets.push_back("cuda");
        return targets;
    }();
    return list;
}

std::string best_isa() {
    std::string best;
    for (const std::string &isa : all_isas())
        if (cpu_has(isa)) best = isa;
    return best;
}

std::string cpu_name() {
    std::ifstream info("/proc/cpuinfo");
    std::string name = "unknown x86 CPU", family, model;
    auto value = [](const std::string &line) {
        size_t at = line.find(": ");
        return at == std::string::npos ? std::string() : line.substr(at + 2);
    };
    for (std::string line; std::getline(info, line) && !line.empty();) {
        if (line.rfind("model name", 0) == 0)
            name = value(line);
        else if (line.rfind("cpu family", 0) == 0)
            family = value(line);
        else if (line.rfind("model\t", 0) == 0)
            model = value(line);
    }
    // Guests often see a shortened name; family and model say which core it is.
    return name + " (family " + family + ", model " + model + "), " +
           std::to_string(std::thread::hardware_concurrency()) + " threads";
}

} // namespace ks
