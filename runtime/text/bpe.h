// SPDX-License-Identifier: Apache-2.0
// Byte-pair merging of one word: from byte ids up, always the pair of lowest rank, leftmost first.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ks::text {

// Immutable once built: any number of threads may encode, each with its own Scratch.
class Bpe {
  public:
    struct Merge {
        int left, right, result;
    };
    // Buffers kept between words, so that encoding stops allocating.
    struct Scratch {
        struct Symbol {
            int id;             // -1: swallowed by the symbol on its left
            int previous, next; // -1: none
        };
        struct Candidate {
            uint32_t rank;
            int at, result; // the merge of symbol `at` with the next one
        };
        std::vector<Symbol> symbols;
        std::vector<Candidate> heap;
    };

    Bpe() = default;
    // byte_ids[b] is the id of byte b, -1 if there is none. The rank of a merge is its place in `merges`.
    // Throws ks::Error when a pair is there twice.
    Bpe(const std::array<int, 256> &byte_ids, const std::vector<Merge> &merges);

    // Appends the ids of `word`. Bytes without an id are left out, as the reference does without "unk".
    void encode(std::string_view word, Scratch &scratch, std::vector<int> &ids) const;

  private:
    struct Target {
        uint32_t rank;
        int result;
    };
    struct PairHash {
        size_t operator()(uint64_t pair) const { return (pair ^ pair >> 29) * 0x9E3779B97F4A7C15u >> 7; }
    };
    static uint64_t key(int left, int right) {
        return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
    }
    void propose(Scratch &scratch, int at) const;

    std::array<int, 256> byte_ids_{};
    std::unordered_map<uint64_t, Target, PairHash> merges_;
};

} // namespace ks::text
