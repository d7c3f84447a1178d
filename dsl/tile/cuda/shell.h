// SPDX-License-Identifier: Apache-2.0
// A thread's code cut in two: the part around the tile that is the same for all threads of a block (loops
// over tiles, lets, conditions), and the tile itself. Producers and consumers each get a copy of the shell,
// so both walk through the same tiles, each at its own pace.
#pragma once
#include "Halide.h"
#include <set>
#include <string>
#include <vector>

namespace ks::tile {

class Shell {
  public:
    // Takes the body of a loop over threads apart. `varying` are the loops in whose iterations the tile
    // differs but the shell may not: that one, and the blocks of a cluster. A condition on them and others is
    // split.
    Shell(const Halide::Internal::Stmt &thread_body, const std::set<std::string> &varying);

    const Halide::Internal::Stmt &tile() const { return tile_; }
    // The shell around something else that all its threads run.
    Halide::Internal::Stmt for_consumers(const Halide::Internal::Stmt &inner) const;
    // The same without what varies: a producer is another thread.
    Halide::Internal::Stmt for_producers(const Halide::Internal::Stmt &inner) const;
    // Whether `name` is a loop of the shell.
    bool has_loop(const std::string &name) const { return loops_.count(name) > 0; }
    // Whether a value may differ between threads: it uses a variable that does, or memory that the kernel
    // writes.
    bool varies(const Halide::Expr &e) const;

  private:
    struct Layer {
        Halide::Internal::Stmt around; // a For, LetStmt, IfThenElse or Allocate whose body does not count
        bool for_all;                  // producers too
    };
    std::vector<Layer> layers_; // outermost first
    Halide::Internal::Stmt tile_;
    std::set<std::string> loops_, varying_;

    bool peel(const Halide::Internal::Stmt &s); // one layer; false when the rest is the tile
    bool peel_condition(const Halide::Internal::IfThenElse *x);
    Halide::Internal::Stmt wrap(Halide::Internal::Stmt inner, bool all_layers) const;
};

} // namespace ks::tile
