// SPDX-License-Identifier: Apache-2.0
// The blocks of a cluster, which split K of one tile, in Halide's IR: the loop over blocks taken apart into
// clusters and the rank of a block in its own.
#pragma once
#include "Halide.h"
#include <string>

namespace ks::tile {

class Cluster {
  public:
    // Of the loop over blocks of that name. Throws ks::Error unless it is along the first dimension of the
    // grid and `blocks` a multiple of `size`.
    Cluster(const std::string &block, const Halide::Expr &blocks, int size);

    const std::string &rank() const { return rank_; }
    // Code of a block, in terms of cluster and rank.
    Halide::Internal::Stmt by_rank(const Halide::Internal::Stmt &code) const;
    // Defines both around it.
    Halide::Internal::Stmt with_rank(const Halide::Internal::Stmt &code) const;
    // Of the tile of all ranks, from that of a block's share, `share` columns wide. Throws ks::Error unless
    // the shares of neighbours are neighbours, in the same rows.
    Halide::Expr first_column(const Halide::Expr &of_share, const Halide::Expr &first_row, int share) const;

  private:
    std::string block_, cluster_, rank_;
    int size_;
};

} // namespace ks::tile
