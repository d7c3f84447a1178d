// SPDX-License-Identifier: Apache-2.0
// Kernels of a few lines on words of memory.
#pragma once
#include "tests/emulator/block.h"
#include "tests/emulator/tensor_map.h"
#include <cstring>

namespace ks::emulator {

using Words = std::vector<uint32_t>;

// In %r1 the thread, in %d1 the address of the words, in %d3 that of the thread's. `map`: rows of 32 words.
inline std::string entry(const std::string &body, unsigned cluster) {
    const std::string size = std::to_string(cluster);
    return ".version 8.1\n.target sm_90a\n.address_size 64\n"
           ".visible .entry kernel(\n\t.param .u64 .ptr .align 1 words,\n"
           "\t.param .u32 n, .param .align 64 .b8 map[128]\n) .reqnctapercluster " +
           size +
           ", 1, 1\n{\n"
           "\t.reg .pred %p<9>;\n\t.reg .b16 %h<9>;\n\t.reg .b32 %r<20>;\n\t.reg .b64 %d<9>;\n"
           "\tld.param.b64 %d1, [words];\n\tcvta.to.global.u64 %d1, %d1;\n\tmov.u32 %r1, %tid.x;\n"
           "\tmul.wide.u32 %d2, %r1, 4;\n\tadd.s64 %d3, %d1, %d2; // this thread's word\n" +
           body + "\tret;\n}\n";
}

struct Setting {
    size_t shared_bytes = 1024;
    unsigned threads = 0; // 0: one for each word
    unsigned blocks = 1;  // a cluster
    uint32_t box_rows = 2;
};

// The words of device memory after the body was run.
inline Words after(const std::string &body, const Words &before, const Setting &setting = {}) {
    const auto kernels = parse(entry(body, setting.blocks));
    const Kernel &kernel = kernels.at("kernel");
    const auto words = static_cast<unsigned>(before.size());
    GlobalMemory memory;
    const uint64_t address = memory.allocate(4 * before.size());
    std::memcpy(memory.span(address, 1), before.data(), 4 * before.size());
    Launch launch{&kernel,
                  {setting.blocks, 1, 1},
                  {setting.threads ? setting.threads : words, 1, 1},
                  setting.shared_bytes,
                  std::vector<uint8_t>(kernel.parameter_bytes)};
    const uint64_t dims[] = {32, std::max(words / 32, 1u)}, row_bytes = 128;
    const uint32_t box[] = {32, setting.box_rows}, every[] = {1, 1};
    TensorMap map;
    encode({2, 2, address, dims, &row_bytes, box, every, 0, 3, 0, 0}, map);
    std::memcpy(launch.parameters.data(), &address, 8);
    std::memcpy(launch.parameters.data() + 8, &words, 4);
    std::memcpy(launch.parameters.data() + kernel.parameters.at(2).offset, &map, sizeof map);
    run(launch, memory);
    Words changed(before.size());
    std::memcpy(changed.data(), memory.span(address, 1), 4 * changed.size());
    return changed;
}

inline Words counting(size_t n) {
    Words words(n);
    for (size_t i = 0; i < n; i++) words[i] = static_cast<uint32_t>(i);
    return words;
}

inline std::string fault_of(const std::string &body, const Words &words, const Setting &setting = {}) {
    try {
        after(body, words, setting);
    } catch (const Fault &e) {
        return e.what();
    }
    return "no fault";
}
inline std::string fault_of(const std::string &body, size_t threads, const Setting &setting = {}) {
    return fault_of(body, counting(threads), setting);
}

// The text with something else in place of `right`, which must be in it.
inline std::string with(std::string text, const std::string &right, const std::string &wrong = "") {
    size_t at = text.find(right);
    if (at == std::string::npos) throw Fault("the text has no " + right);
    return text.replace(at, right.size(), wrong);
}

inline uint32_t bits(float x) { return static_cast<uint32_t>(bits_of(x)); }

} // namespace ks::emulator
