// SPDX-License-Identifier: Apache-2.0
// Argument checks of the oracles: a wrong size is a bug of the test and is said at once.
#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace ks::oracle {

inline void expect(bool holds, const char *what) {
    if (!holds) throw std::invalid_argument(what);
}

template <typename T>
void expect_size(const char *name, const std::vector<T> &v, size_t wanted) {
    if (v.size() != wanted)
        throw std::invalid_argument(std::string(name) + ": " + std::to_string(v.size()) +
                                    " elements, expected " + std::to_string(wanted));
}

// For optional arrays: empty means absent.
template <typename T>
void expect_size_or_empty(const char *name, const std::vector<T> &v, size_t wanted) {
    if (!v.empty()) expect_size(name, v, wanted);
}

// Sequence s of a packed ragged batch owns the tokens seq_start[s] .. seq_start[s + 1] - 1; empty ones are
// legal.
inline void expect_seq_start(const std::vector<int> &seq_start) {
    expect(!seq_start.empty() && seq_start.front() == 0, "seq_start: must begin with 0");
    for (size_t s = 1; s < seq_start.size(); s++)
        expect(seq_start[s] >= seq_start[s - 1], "seq_start: must not decrease");
}

} // namespace ks::oracle
