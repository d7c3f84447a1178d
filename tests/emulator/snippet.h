// SPDX-License-Identifier: Apache-2.0
// A few instructions, executed by one warp on registers that the test fills and reads by their names.
#pragma once
#include "tests/emulator/block.h"
#include <cstring>

namespace ks::emulator {

class Snippet {
  public:
    std::map<std::string, Lanes> registers;
    GlobalMemory memory;

    // `results`: registers that the text sets and does not read before; `warp`: which of its block this is.
    void run(const std::string &text, const std::vector<std::string> &results, unsigned warp = 0) {
        for (const std::string &name : results) registers[name] = {};
        const uint64_t table = memory.allocate(registers.size() * sizeof(Lanes)); // of all of them, by name
        auto *values = static_cast<Lanes *>(memory.span(table, 1));
        for (const auto &[name, lanes] : registers) *values++ = lanes;
        const auto kernels = parse(kernel(text, warp));
        Launch launch{&kernels.at("snippet"), {1, 1, 1}, {32 * (warp + 1), 1, 1}, 0, std::vector<uint8_t>(8)};
        std::memcpy(launch.parameters.data(), &table, sizeof table);
        emulator::run(launch, memory);
        values = static_cast<Lanes *>(memory.span(table, 1));
        for (auto &[name, lanes] : registers) lanes = *values++;
        memory.release(table);
    }

  private:
    // Registers come from the table, by lane, and go back there.
    std::string kernel(const std::string &text, unsigned warp) const {
        std::string declared, loaded, stored;
        size_t at = 0;
        for (const auto &[name, lanes] : registers) {
            const std::string place = "[%ks_at+" + std::to_string(at) + "]";
            declared += "\t.reg .b64 " + name + ";\n";
            loaded += "\tld.global.b64 " + name + ", " + place + ";\n";
            stored += "\tst.global.b64 " + place + ", " + name + ";\n";
            at += sizeof lanes;
        }
        return ".visible .entry snippet(.param .u64 table) {\n\t.reg .b64 %ks_at, %ks_of_lane;\n"
               "\t.reg .b32 %ks_id;\n\t.reg .pred %ks_other;\n" +
               declared + "\tmov.u32 %ks_id, %tid.x;\n\tsetp.lt.u32 %ks_other, %ks_id, " +
               std::to_string(32 * warp) +
               ";\n\t@%ks_other ret;\n\tld.param.b64 %ks_at, [table];\n\tmov.u32 %ks_id, %laneid;\n"
               "\tmul.wide.u32 %ks_of_lane, %ks_id, 8;\n\tadd.s64 %ks_at, %ks_at, %ks_of_lane;\n" +
               loaded + "\t{\n" + text + "\n\t}\n" + stored + "\tret;\n}\n";
    }
};

} // namespace ks::emulator
