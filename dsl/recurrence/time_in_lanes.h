// SPDX-License-Identifier: Apache-2.0
// Execution "time in lanes" of a recurrence on a GPU: a scan over time in the lanes of a warp.
//
// A warp has a few channels; its lanes share the time of each: lane = channel + channels * time group.
// For one state after the other a thread walks its steps from state 0, keeping the decays in registers; the
// warp joins what its lanes found, (product of the decays, last state), by shuffles (Kogge and Stone 1973),
// so that each lane knows the state that it starts from; the thread walks its steps again, and reads out.
// Decays are computed once: one exp a step and state, and one more a thread and state for their product.
//
// A block has the channels of its warps in one sequence, and walks its time in tiles: operands of the steps
// to shared memory in f32; for a group of states after the other the operands of the weights to shared
// memory, and the scan, whose read-outs are added up there; the consumer. The state buffer carries the states
// from tile to tile.
//
// For any channels, steps, states, storage and recurrence. What a plan cannot do is refused (check(), the
// passes). Nothing is promised of addresses, except with `weights_vector`.
#pragma once
#include "dsl/lowering_pass.h"
#include "dsl/recurrence/operands_of_terms.h"
#include <memory>

namespace ks {

struct TimePlan {
    int channels = 4, warps = 4; // side by side in the lanes of a warp; of a block
    int steps = 16;              // of a thread, in a tile
    int states = 1;              // walked at the same time
    int own = 1;                 // channels of a thread, neighbours, which share the loads of weights
    // Neighbouring states whose weights are read at once: the caller's promise that their rows begin at
    // multiples of as many elements.
    int weights_vector = 1;

    // Of a number of states (0: any), how many make a group.
    static int group_of(int states) { return states >= 1 && states <= 16 ? states : 16; }
    int groups() const { return 32 / channels; } // of a warp's lanes, along time
    int warp_channels() const { return channels * own; }
    int block_channels() const { return warp_channels() * warps; }
    int tile_steps() const { return steps * groups(); }
    int threads() const { return 32 * warps; }
    // Throws ks::Error for a plan that cannot be, or cannot carry out `count` states (0: any number).
    void check(int count) const;
};

class TimeInLanes {
  public:
    // `channels` and `steps`: of the sequence at hand.
    TimeInLanes(const Recurrence &r, const TimePlan &plan, const Halide::Expr &channels,
                const Halide::Expr &steps);

    Halide::Func read; // the read-out at (channel, time, outer...)

    // Schedules the consumer y(channel, time, outer...), which reads `read` where it is itself, and all
    // before it: blocks over outer, then channels.
    void schedule(const Halide::Func &y);

    // After what changes rows and before nothing. `y`: the consumer.
    std::vector<std::shared_ptr<LoweringPass>> passes(const Halide::Func &y) const;

  private:
    std::vector<Halide::Expr> at(std::vector<Halide::Expr> index) const; // with the outer Vars behind
    std::vector<Halide::Var> over(std::vector<Halide::Var> vars) const;
    Halide::Expr here(const Halide::Expr &e) const; // in terms of d, tg and ti, none beyond the last
    Halide::Expr lane() const;
    Halide::Expr state_exists() const;
    void stage();
    void define_terms();
    void define_walks();
    void join_groups();
    Halide::Expr operand(OperandsOfTerms::Kind kind, int i);

    void schedule_consumer(Halide::Func y);
    void schedule_steps(const Halide::Func &y);
    void schedule_weights();
    void schedule_sums(const Halide::Func &y);
    void schedule_scan();
    void in_registers(Halide::Func f) const;

    Recurrence r_;
    TimePlan plan_;
    OperandsOfTerms operands_;
    Halide::Expr channels_, steps_;
    int group_ = 0;       // of states
    bool whole_ = false;  // all groups have as many
    Halide::RDom groups_; // undefined where there is one

    Halide::Func step_tile_, weight_tile_; // in shared memory; undefined where there is nothing to stage
    // In registers: of a thread and tile; of one state, by step; of one state.
    std::vector<Halide::Func> of_tile_, by_step_, of_state_;
    std::vector<Halide::Func> held_, step_values_, step_operands_; // by operand
    Halide::Func decays_{"decays"}, inputs_{"inputs"}, products_{"products"}, ends_{"ends"}, start_{"start"},
        walked_{"walked"}, sum_{"sum"}, sums_{"sums"}, read_copy_{"read_copy"};
    Halide::Func totals_; // of the exponents' factor, where the product of the decays is one exp
    Halide::RDom along_, states_loop_;
    // Steps of a thread, time groups (time = steps * tg + ti), channels, groups of states, states.
    Halide::Var ti_{"ti"}, tg_{"tg"}, d_{"of_channel"}, ng_{"state_group"}, n_{"of_state"};
    Halide::Var tile_{"tile"}, lane_{"lane"}, warp_{"warp"};
};

} // namespace ks
