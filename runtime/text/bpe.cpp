// SPDX-License-Identifier: Apache-2.0
// Merging with a heap of candidates over a linked list of symbols: n log n even for one endless word.
#include "runtime/text/bpe.h"

#include <algorithm>
#include <string>

#include "runtime/base/error.h"

namespace ks::text {
namespace {

// Heap order: true where `a` comes after `b`.
bool later(const Bpe::Scratch::Candidate &a, const Bpe::Scratch::Candidate &b) {
    return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
}

} // namespace

Bpe::Bpe(const std::array<int, 256> &byte_ids, const std::vector<Merge> &merges) : byte_ids_(byte_ids) {
    merges_.reserve(merges.size());
    uint32_t rank = 0;
    for (const Merge &m : merges) {
        if (!merges_.emplace(key(m.left, m.right), Target{rank, m.result}).second) {
            throw Error("merge " + std::to_string(rank), "the same pair as an earlier merge");
        }
        ++rank;
    }
}

void Bpe::propose(Scratch &scratch, int at) const {
    const Scratch::Symbol &left = scratch.symbols[static_cast<size_t>(at)];
    if (left.next < 0) return;
    const auto it = merges_.find(key(left.id, scratch.symbols[static_cast<size_t>(left.next)].id));
    if (it == merges_.end()) return;
    scratch.heap.push_back({it->second.rank, at, it->second.result});
    std::push_heap(scratch.heap.begin(), scratch.heap.end(), later);
}

void Bpe::encode(std::string_view word, Scratch &scratch, std::vector<int> &ids) const {
    auto &symbols = scratch.symbols;
    symbols.clear();
    scratch.heap.clear();
    for (const char c : word) {
        const int id = byte_ids_[static_cast<unsigned char>(c)];
        if (id < 0) continue;
        const int n = static_cast<int>(symbols.size());
        if (n > 0) symbols.back().next = n;
        symbols.push_back({id, n - 1, -1});
    }
    for (int i = 0; i < static_cast<int>(symbols.size()); ++i) propose(scratch, i);

    while (!scratch.heap.empty()) {
        std::pop_heap(scratch.heap.begin(), scratch.heap.end(), later);
        const Scratch::Candidate best = scratch.heap.back();
        scratch.heap.pop_back();
        Scratch::Symbol &left = symbols[static_cast<size_t>(best.at)];
        if (left.id < 0 || left.next < 0) continue;
        Scratch::Symbol &right = symbols[static_cast<size_t>(left.next)];
        // A candidate is stale when its pair has changed since. Like the reference, ask for the same result,
        // not for the same pair.
        const auto it = merges_.find(key(left.id, right.id));
        if (it == merges_.end() || it->second.result != best.result) continue;
        left.id = best.result;
        right.id = -1;
        left.next = right.next;
        if (right.next >= 0) symbols[static_cast<size_t>(right.next)].previous = best.at;
        if (left.previous >= 0) propose(scratch, left.previous);
        propose(scratch, best.at);
    }
    for (int i = symbols.empty() ? -1 : 0; i >= 0; i = symbols[static_cast<size_t>(i)].next) {
        ids.push_back(symbols[static_cast<size_t>(i)].id);
    }
}

} // namespace ks::text
