// SPDX-License-Identifier: Apache-2.0
// Sizes at which every op is tried: the edges of tiles, vectors and unrolled loops, and widths of real
// models.
#pragma once
#include "dsl/contract.h"
#include <algorithm>
#include <vector>

namespace ks::test {

// The dimensions of any op from five numbers; `lanes`: of a panel, for ops with packed weights, else 1.
struct Edge {
    int64_t length, width, states, experts, rows; // rows: of a table or of a panel matrix
};

inline Dims dims_at(const Contract &c, const Edge &e) {
    Dims dims;
    for (const auto &d : c.dims) {
        if (d.name == "T" && c.name == "expert_down")
            dims[d.name] = e.length + e.length / 2; // some are not listed
        else if (d.name == "G" && c.name == "expert_tiles")
            dims[d.name] = e.length / 2 + 1; // with few slots a tile too few, with many more than needed
        else if (d.name == "G")              // too few for the longer ones: some rows are in no tile
            dims[d.name] = 1 + e.length % 7;
        else if (d.name == "B" && c.name == "expert_tiles")
            dims[d.name] = std::min<int64_t>(e.width, d.high);
        else if (!d.width)
            dims[d.name] = e.length;
        else if (d.name == "B")
            dims[d.name] = e.states;
        else if (d.name == "N" && !c.choices.count("weight")) // of products: columns
            dims[d.name] = e.states;
        else if (d.name == "E")
            dims[d.name] = e.experts;
        else if (d.name == "P" || d.name == "V")
            dims[d.name] = e.rows;
        else if (d.name == "F" || d.name == "N")
            dims[d.name] = 20 * e.rows + 1;
        else
            dims[d.name] = e.width;
    }
    return dims;
}

// Every length with every width; the other sizes take turns. What would take long in double precision is left
// out.
inline std::vector<Dims> edge_dims(const Contract &c) {
    std::vector<Dims> list;
    const int64_t lengths[] = {1, 2, 3, 4, 5, 257}, widths[] = {1, 20, 92, 184, 1472};
    const int64_t states[] = {1, 8, 16, 64}, experts[] = {1, 2, 8, 64}, rows[] = {1, 3, 2, 5};
    size_t turn = 0;
    for (int64_t length : lengths)
        for (int64_t width : widths) {
            size_t i = turn++ % 4;
            Edge e{length, width, states[i], experts[i], rows[i]};
            if (length * width > 100000) e.states = e.rows = 1;
            if (length * width * e.states > 1000000) e.states = 8;
            list.push_back(dims_at(c, e));
        }
    return list;
}

} // namespace ks::test
