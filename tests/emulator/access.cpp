// SPDX-License-Identifier: Apache-2.0
// Loads and stores.
#include "tests/emulator/decode.h"
#include "tests/emulator/warp.h"
#include <cstring>
#include <sstream>

namespace ks::emulator {

namespace {

enum class Space { parameter, global, shared };
constexpr size_t most_bytes = 16; // of an access

const Operand &element(const Operand &o, size_t i) { return o.kind == Operand::list ? o.elements[i] : o; }

template <Space space>
void read(Warp &w, uint64_t address, uint8_t *to, size_t bytes, unsigned lane) {
    if constexpr (space == Space::shared) w.shared().load(address, to, bytes, w.actor(lane));
    if constexpr (space == Space::global) std::memcpy(to, w.global().at(address, bytes), bytes);
    if constexpr (space == Space::parameter) {
        if (address + bytes > w.parameters().size()) throw Fault("a load beyond the parameters");
        std::memcpy(to, w.parameters().data() + address, bytes);
    }
}

template <Space space>
void load(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        uint8_t bytes[most_bytes];
        read<space>(w, w.address(i.operands[1], lane), bytes, i.bytes * i.vector, lane);
        for (size_t e = 0; e < i.vector; e++) {
            uint64_t value = 0;
            std::memcpy(&value, bytes + e * i.bytes, i.bytes);
            w.to(element(i.operands[0], e))[lane] = value;
        }
    });
}

template <Space space>
void store(Warp &w, const Instruction &i, uint32_t lanes) {
    for_lanes(lanes, [&](unsigned lane) {
        uint8_t bytes[most_bytes];
        for (size_t e = 0; e < i.vector; e++) {
            uint64_t value = w.value(element(i.operands[1], e), lane);
            std::memcpy(bytes + e * i.bytes, &value, i.bytes);
        }
        uint64_t address = w.address(i.operands[0], lane);
        const size_t count = i.bytes * i.vector;
        if constexpr (space == Space::shared)
            w.shared().store(address, bytes, count, w.actor(lane));
        else
            std::memcpy(w.global().at(address, count), bytes, count);
    });
}

std::vector<std::string> words_of(const std::string &name) { // at dots, but for those of .L2::128B
    std::vector<std::string> words;
    std::istringstream in(name);
    for (std::string word; std::getline(in, word, '.');) words.push_back(word);
    return words;
}

// Of "b32" and the like; signed loads would have to extend the sign.
size_t bytes_of(const std::string &type) {
    if (type.size() < 2 || (type[0] != 'b' && type[0] != 'u' && type[0] != 'f')) return 0;
    const std::string bits = type.substr(1);
    return bits == "8" ? 1 : bits == "16" ? 2 : bits == "32" ? 4 : bits == "64" ? 8 : 0;
}

bool is_hint(const std::string &word, Space space) { // of caches
    return space == Space::global &&
           (word == "nc" || word.rfind("L2::", 0) == 0 || word.rfind("L1::", 0) == 0);
}

Step step_of(bool loads, Space space) {
    if (space == Space::parameter) return loads ? load<Space::parameter> : nullptr;
    if (space == Space::global) return loads ? load<Space::global> : store<Space::global>;
    return loads ? load<Space::shared> : store<Space::shared>;
}

} // namespace

bool decode_access(Instruction &i) {
    const std::vector<std::string> words = words_of(i.name);
    if (words.size() < 3 || (words[0] != "ld" && words[0] != "st") || i.operands.size() != 2) return false;
    if (words[1] != "param" && words[1] != "global" && words[1] != "shared") return false;
    Space space = words[1] == "param"    ? Space::parameter
                  : words[1] == "global" ? Space::global
                                         : Space::shared;
    for (size_t k = 2; k + 1 < words.size(); k++) {
        if (words[k] == "v2" || words[k] == "v4")
            i.vector = words[k] == "v2" ? 2 : 4;
        else if (!is_hint(words[k], space))
            return false;
    }
    bool loads = words[0] == "ld";
    i.bytes = bytes_of(words.back());
    i.step = step_of(loads, space);
    const Operand &address = i.operands[loads ? 1 : 0], &data = i.operands[loads ? 0 : 1];
    bool fits = data.kind == Operand::list ? data.elements.size() == i.vector : i.vector == 1;
    return i.step && i.bytes && i.bytes * i.vector <= most_bytes && address.kind == Operand::memory && fits;
}

} // namespace ks::emulator
