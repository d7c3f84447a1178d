// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/async_copies.h"
#include "runtime/base/error.h"
#include <cctype>
#include <map>
#include <vector>

namespace ks::ptx {

namespace {

std::vector<std::string> lines_of(const std::string &text) {
    std::vector<std::string> lines;
    size_t from = 0;
    for (size_t to; (to = text.find('\n', from)) != std::string::npos; from = to + 1)
        lines.push_back(text.substr(from, to - from));
    if (from < text.size()) lines.push_back(text.substr(from));
    return lines;
}

std::vector<std::string> registers_in(const std::string &text) {
    std::vector<std::string> found;
    for (size_t at = 0; (at = text.find('%', at)) != std::string::npos;) {
        size_t end = at + 1;
        while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
            end++;
        found.push_back(text.substr(at, end - at));
        at = end;
    }
    return found;
}

std::string between(const std::string &line, char open, char close) {
    size_t from = line.find(open), to = line.find(close, from);
    if (from == std::string::npos || to == std::string::npos)
        throw Error("PTX", "cannot read the instruction: " + line);
    return line.substr(from + 1, to - from - 1);
}

bool holds(const std::string &line, const char *what) { return line.find(what) != std::string::npos; }

bool of_16_bytes(const std::string &line, const std::string &instruction) {
    return holds(line, (instruction + ".v4.b32").c_str()) || holds(line, (instruction + ".v4.u32").c_str()) ||
           holds(line, (instruction + ".v4.f32").c_str()) || holds(line, (instruction + ".v2.b64").c_str()) ||
           holds(line, (instruction + ".v2.u64").c_str());
}

bool is_barrier(const std::string &line) { return holds(line, "bar.sync") || holds(line, "barrier.sync"); }

// A label, or a jump: what stands before and after it need not run together.
bool ends_block(const std::string &line) {
    if (holds(line, "\tbra") || holds(line, " bra") || holds(line, "bra.uni")) return true;
    size_t last = line.find_last_not_of(" \t\r");
    return last != std::string::npos && line[last] == ':';
}

bool predicated(const std::string &line) {
    size_t first = line.find_first_not_of(" \t");
    return first != std::string::npos && line[first] == '@';
}

struct Load {
    size_t line, block;
};

} // namespace

AsyncCopies async_copies(const std::string &ptx) {
    std::vector<std::string> lines = lines_of(ptx);
    std::map<std::string, Load> loads; // by the list of their registers
    std::map<std::string, int> uses;
    size_t block = 0;
    std::vector<size_t> block_of;
    for (size_t i = 0; i < lines.size(); i++) {
        if (ends_block(lines[i])) block++;
        block_of.push_back(block);
        for (const auto &r : registers_in(lines[i])) uses[r]++;
        if (of_16_bytes(lines[i], "ld.global.nc")) loads[between(lines[i], '{', '}')] = {i, block};
    }

    AsyncCopies made;
    for (size_t i = 0; i < lines.size(); i++) {
        std::string &line = lines[i];
        if (is_barrier(line)) line = "\tcp.async.wait_all;\n" + line;
        if (!of_16_bytes(line, "st.shared")) continue;
        auto load = loads.find(between(line, '{', '}'));
        if (load == loads.end()) continue;
        bool only_here = true; // once loaded, once stored
        for (const auto &r : registers_in(load->first)) only_here = only_here && uses[r] == 2;
        if (!only_here) continue;
        std::string &from = lines[load->second.line];
        if (load->second.block != block_of[i])
            throw Error("PTX", "a copy to shared memory spans two basic blocks: " + line);
        if (predicated(from) || predicated(line))
            throw Error("PTX", "a copy to shared memory is predicated: " + line);
        line = "\tcp.async.cg.shared.global \t[" + between(line, '[', ']') + "], [" +
               between(from, '[', ']') + "], 16;";
        from.clear();
        made.count++;
    }
    for (size_t i = 0; i < lines.size(); i++) made.ptx += lines[i] + "\n";
    return made;
}

} // namespace ks::ptx
