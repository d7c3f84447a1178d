// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/occupancy.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <map>

namespace ks::ptx {

namespace {

constexpr int kilo = 1024;
constexpr int warp_threads = 32, most_threads = 1024;
constexpr int registers = 65536, most_registers = 255;             // of a multiprocessor, of a thread
constexpr int register_unit = 256, warp_unit = 4;                  // are given to warps in these portions
constexpr int shared_unit = 128, shared_of_every_block = 1 * kilo; // the system's own share

int round_up(int n, int to) { return (n + to - 1) / to * to; }

int warps_of(const Block &b) { return (b.threads + warp_threads - 1) / warp_threads; }

int resident_by_registers(const Resources &k, const Block &b) {
    int of_warp = round_up(std::max(k.registers, 1) * warp_threads, register_unit);
    return registers / of_warp / warp_unit * warp_unit / warps_of(b);
}

std::string bytes(int n) { return std::to_string(n) + " bytes"; }

} // namespace

Multiprocessor multiprocessor(const std::string &arch) {
    static const std::map<std::string, Multiprocessor> known = {
        {"80", {64, 32, 164 * kilo, 163 * kilo}},  {"86", {48, 16, 100 * kilo, 99 * kilo}},
        {"87", {48, 16, 164 * kilo, 163 * kilo}},  {"89", {48, 24, 100 * kilo, 99 * kilo}},
        {"90", {64, 32, 228 * kilo, 227 * kilo}},  {"100", {64, 32, 228 * kilo, 227 * kilo}},
        {"103", {64, 32, 228 * kilo, 227 * kilo}}, {"120", {48, 24, 100 * kilo, 99 * kilo}},
    };
    std::string number = arch.rfind("sm_", 0) == 0 ? arch.substr(3) : "";
    if (!number.empty() && (number.back() == 'a' || number.back() == 'f')) number.pop_back();
    auto at = known.find(number);
    if (at == known.end()) throw Error("architecture " + arch, "has no known limits");
    return at->second;
}

int resident_blocks(const Resources &k, const Block &b, const std::string &arch) {
    Multiprocessor m = multiprocessor(arch);
    int shared = k.shared + b.dynamic_shared;
    if (b.threads < 1 || b.threads > most_threads || k.registers > most_registers ||
        shared > m.shared_per_block)
        return 0;
    int by_shared = m.shared_bytes / round_up(shared + shared_of_every_block, shared_unit);
    return std::min({m.blocks, m.warps / warps_of(b), resident_by_registers(k, b), by_shared});
}

std::string unfit(const Resources &k, const Block &b, const std::string &arch) {
    Multiprocessor m = multiprocessor(arch);
    std::string where = k.kernel + " on " + arch + ": ";
    if (b.threads < 1 || b.threads > most_threads)
        return where + "a block of " + std::to_string(b.threads) + " threads";
    if (int shared = k.shared + b.dynamic_shared; shared > m.shared_per_block)
        return where + bytes(shared) + " of shared memory, a block has " + bytes(m.shared_per_block);
    if (resident_blocks(k, b, arch) == 0)
        return where + std::to_string(k.registers) + " registers for each of " + std::to_string(b.threads) +
               " threads, a block has " + std::to_string(registers);
    return "";
}

} // namespace ks::ptx
