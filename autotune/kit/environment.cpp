// SPDX-License-Identifier: Apache-2.0
#include "autotune/kit/environment.h"
#include "runtime/base/cpu.h"
#include <ctime>
#include <fstream>
#include <sys/utsname.h>
#include <unistd.h>

namespace ks::tune {

namespace {

std::string first_line(const char *path) {
    std::ifstream in(path);
    std::string line;
    return std::getline(in, line) ? line : "unknown";
}

nlohmann::json cache(int name) {
    long bytes = sysconf(name);
    if (bytes > 0) return bytes;
    return "unknown";
}

} // namespace

nlohmann::json environment() {
    utsname system{};
    uname(&system);
    const char *cpufreq = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    return {{"cpu", cpu_name()},
            {"best_isa", best_isa()},
            {"system", std::string(system.sysname) + " " + system.release + " " + system.machine},
            {"load", first_line("/proc/loadavg")},
            {"governor", first_line(cpufreq)},
            {"cache_2", cache(_SC_LEVEL2_CACHE_SIZE)},
            {"cache_3", cache(_SC_LEVEL3_CACHE_SIZE)},
            {"compiler", std::string("g++ ") + __VERSION__}};
}

std::string utc_now() {
    std::time_t t = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&t, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

} // namespace ks::tune
