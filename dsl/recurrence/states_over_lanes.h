// SPDX-License-Identifier: Apache-2.0
// Execution "states over lanes" of a recurrence on a GPU with tensor cores (sm_80 on): no scan over time.
//
// `lanes` lanes share a channel, or a pair of channels; each walks its part of the states through all of
// time. The read-out, a product with the weights and a sum over the lanes, is one mma for a few steps: its A
// operand is the states as they lie in the registers, its B operand the weights of a group of steps, one
// step a column. It keeps 10 bits of states and weights (tf32), which is enough for bf16 and f16 operands. Of
// f32 operands a lane multiplies its states by the weights itself, and the mma only sums over the lanes, with
// f32 accuracy (ptx::quad_sums).
//
//   lanes  channels a warp  states a thread   steps a group
//   4      16               4, of 2 channels  8              many sequences: few instructions a state
//   8      4                2                 4              one sequence: many warps
//
// A block owns the channels of its warps in one sequence and walks its time in tiles, in stages that
// OverlapPass overlaps: copies of the operands of time (as words, 16 bytes at a time); operands of the steps
// and, where they are not stored so, of the weights in f32; the recurrence; the consumer.
//
// What it requires, all but the second checked:
//   - 16 states; decay and input read operands of channel and time; read is one operand of state and time;
//   - where the operands of channel and time are 0, decay is 1 and input 0: so they are past the last step,
//     unless the recurrence stands still there by itself;
//   - operands of time have all 16 bits or all 32, in rows aligned to 16 bytes; the channels of a call are a
//     multiple of plan.channels(): the caller's promise.
#pragma once
#include "dsl/lowering_pass.h"
#include "dsl/recurrence/operands_of_terms.h"
#include "dsl/recurrence/tile_words.h"
#include <map>
#include <memory>

namespace ks {

struct LanesPlan {
    static constexpr int states = 16; // of a channel
    int lanes = 8, warps = 2;
    int groups = 8;         // of steps, in a tile
    int polynomial = 0;     // every n-th exp2 of the decays by a polynomial; 0: none
    int position = 0;       // which of the n
    bool load_late = false; // the consumer's operands, after the recurrence of the tile before (OverlapPass)

    int channels() const { return (lanes == 4 ? 16 : 4) * warps; } // of a block
    int group_steps() const { return lanes == 4 ? 8 : 4; }
    int tile_steps() const { return group_steps() * groups; }
    int threads() const { return 32 * warps; }
    // Before and after the recurrence a thread owns a pair of channels for so many steps.
    int thread_steps() const { return tile_steps() * channels() / 2 / threads(); }
    // Of a step's 16 weights, how many a thread prepares; 0: a tile has too many steps for its threads.
    int thread_weights() const;
    void check() const; // throws ks::Error for a plan that cannot be
};

class StatesOverLanes {
  public:
    // `steps`: of the sequence at hand. `y`: the consumer, not yet defined.
    StatesOverLanes(const Recurrence &r, const LanesPlan &plan, const Halide::Expr &steps, Halide::Func y);

    // Stands for the read-out at (channel, time, outer...) in the value that consume() is given.
    Halide::Func read;

    // y(channel, time, outer...) = `value` (f32), each pair packed by `pack`: pair_f32, or two of 16 bits
    // into a UInt(32). Defines and schedules y and all before it: blocks over outer, then channels.
    using Pack = std::function<Halide::Expr(const Halide::Expr &low, const Halide::Expr &high)>;
    void consume(const Halide::Expr &value, const Pack &pack);

    // In this order, after what changes rows and before nothing.
    std::vector<std::shared_ptr<LoweringPass>> passes() const;
    int copies() const; // of 16 bytes, in the text

  private:
    std::vector<Halide::Expr> at(std::vector<Halide::Expr> index) const; // with the outer Vars behind
    std::vector<Halide::Var> over(std::vector<Halide::Var> vars) const;
    void stage_steps();
    void stage_weights();
    void define_recurrence();
    Halide::Func weight_copy(int which);
    Halide::Expr first_state() const;
    void define_products();
    void define_sums();
    void schedule_consumer();
    void schedule_steps();
    void schedule_weights();
    void schedule_weight_copies();
    int copying_warps(int words) const; // that copy a tile of an operand, each as often
    void schedule_sums();

    // A load that is the same at every step, and the Func that holds it in registers.
    struct Held {
        Halide::Expr load;
        Halide::Func func;
    };
    Halide::Expr held_at(std::vector<Held> &held, const Halide::Expr &load, const std::string &name,
                         const std::vector<Halide::Expr> &arguments);
    // A pair's words of a thread's steps in registers, and an element of them at (ti, tc, p).
    Halide::Func register_words(int which, const std::string &name) const;
    Halide::Expr element(const Halide::Func &words, const Halide::Expr &c,
                         const std::vector<Halide::Expr> &point) const;
    void schedule_register_words(Halide::Func words) const;
    bool halves_of_weights() const { return weight_words_.elements() == 2; }
    bool f32_operands() const { return step_words_.elements() == 1 || weight_words_.elements() == 1; }

    Recurrence r_;
    LanesPlan plan_;
    OperandsOfTerms operands_;
    Halide::Expr length_;
    Halide::Func y_;
    TileWords step_words_, weight_words_;
    Halide::Func steps_, weights_, states_, product_, kept_, sums_, summed_;
    std::vector<Held> held_by_steps_, held_by_consumer_;
    std::map<int, Halide::Func> words_of_steps_, words_of_consumer_; // by operand of step_words_
    std::vector<Halide::Func> words_of_weights_;
    std::vector<Halide::Func> held_, step_copies_; // of the recurrence's threads
    std::map<int, Halide::Func> weight_copies_;    // by operand of state and time
    Halide::Func read_copy_;
    // Of a thread before and after the recurrence: ti, tc: time = thread_steps * tc + ti; p, c: channel = 2p
    // + c. Of one in it: q, g: lane % 4, lane / 4; w: warp; gc, gi: time = group_steps * gc + gi; i: state;
    // k: of the sums that it keeps.
    Halide::Var ti_{"ti"}, tc_{"tc"}, p_{"p"}, c_{"c"}, q_{"q"}, g_{"g"}, w_{"w"}, gi_{"gi"}, gc_{"gc"},
        i_{"i"}, k_{"k"}, n_{"n"}, v_{"v"}, tile_{"tile"}, lane_{"lane"}, warp_{"warp"};
};

} // namespace ks
