// SPDX-License-Identifier: Apache-2.0
// Puts tensor cores in place of the serial sums of a schedule made by tile_schedule: producer threads that
// fill shared memory join the block, and its own threads become consumers,
//
//   init; if (thread < consumers) { for tiles { multiply; rest of the algorithm }; drain }
//         else                    { for tiles { produce } }
//
// (where the blocks of a cluster split K, `multiply` and `produce` are for the tile of all of them), or, with
// mma, for tiles { copy and multiply; rest of the algorithm } by its own threads alone.
//
// Everything that this rests on is proved on the way. A schedule that is not of this form is a ks::Error,
// never a wrong number.
#pragma once
#include "dsl/lowering_pass.h"
#include "dsl/tile/cuda/cluster.h"
#include "dsl/tile/cuda/lets.h"
#include "dsl/tile/cuda/shell.h"
#include "dsl/tile/cuda/tile_matmul.h"
#include <set>

namespace ks::tile {

struct Placement;

class TensorizePass : public LoweringPass {
  public:
    TensorizePass(const TileMatmul &matmul, const TileOp &op);
    void verify() const override;

  private:
    using IRMutator::visit;
    TileMatmul matmul_;
    TileOp op_;
    int kernels_ = 0;                                        // with a tile
    std::set<std::string> shared_;                           // Halide's shared memory around the thread loop
    std::vector<std::pair<std::string, Halide::Expr>> lets_; // around the loop over blocks
    Halide::Internal::Scope<Halide::Internal::ModulusRemainder> around_; // what is known of them
    std::optional<Cluster> cluster_; // of the kernel around, where blocks split K
    // What the kernel asks the host for: name -> buffer and dimension.
    std::map<std::string, std::pair<std::string, int>> host_extents_;

    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Allocate *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::IfThenElse *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt thread_loop(const Halide::Internal::For *op);
    Halide::Internal::Stmt roles(const Halide::Expr &thread, Halide::Internal::Stmt consumers,
                                 Halide::Internal::Stmt producers) const;
    Halide::Expr operand_stride(const Halide::ImageParam &buffer);
    Halide::Expr length();
    void define_strides(InlineLets &lets) const;
    Halide::Expr row_start(const Halide::ImageParam &buffer, const Halide::Expr &row, const char *count);
    std::vector<Halide::Internal::Stmt> row_starts(const Placement &placement, const Halide::Expr &copier,
                                                   int threads);
    Halide::Internal::Stmt produce(const Placement &placement, const Halide::Expr &thread);
};

} // namespace ks::tile
