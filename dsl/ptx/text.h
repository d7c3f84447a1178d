// SPDX-License-Identifier: Apache-2.0
// Edits on the PTX text that Halide writes. Halide reaches neither sm_90 nor the tensor cores: a schedule
// calls a pseudo-function (ks_*) that no module defines, LLVM leaves the call as a block of fixed shape, and
// here the block becomes the instructions that it stands for. (A .func would not do: ptxas calls it instead
// of inlining it.)
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ks::ptx {

struct PseudoCall {
    std::string name;                   // "ks_tanh"
    std::vector<std::string> arguments; // registers or literals, typed as the .b32 and .b64 of the call;
                                        // of 128 bits both halves: "{%rd1, %rd2}"
    std::string result;                 // register, or both halves; empty for a call without one
};

// The instructions of one call. They stand in braces of their own, so .reg declarations in them are local.
using Expansion = std::function<std::string(const PseudoCall &)>;

// The calls of ks_* functions, in the order of the text. Throws ks::Error as expand_pseudo_calls does.
std::vector<PseudoCall> pseudo_calls(const std::string &ptx);

// The text with every call of a ks_* function expanded and their declarations removed. Throws ks::Error
// naming a pseudo-function without an expansion, and for a call that is not in the shape that LLVM 21 gives
// calls.
std::string expand_pseudo_calls(const std::string &ptx, const std::map<std::string, Expansion> &expansions);

// The text for another architecture ("sm_90a") in another version of the language ("8.0"), for instructions
// that those of Halide lack. Throws ks::Error when the text has no such directives.
std::string retarget(const std::string &ptx, const std::string &version, const std::string &arch);

// The text with launch bounds on every kernel: at most `threads` a block, at least `blocks` of them on a
// multiprocessor. Without the second ptxas spares registers for as many threads as the device can hold, and
// puts each load next to its first use for that; with it, loads come first and the registers are used.
// Kernels with a loop, which keep in registers what is the same in all turns, get `blocks_of_loops` instead.
std::string with_launch_bounds(const std::string &ptx, int threads, int blocks, int blocks_of_loops);
inline std::string with_launch_bounds(const std::string &ptx, int threads, int blocks) {
    return with_launch_bounds(ptx, threads, blocks, blocks);
}

// The text whose vector loads of operands that are only read bring `bytes` (64, 128 or 256) into the L2
// cache at once: for rows that are read to their end by threads far apart.
std::string with_prefetch(const std::string &ptx, int bytes);

// The text whose kernels wait for the launch before them to end and its stores to be seen, before they do
// anything else: such a launch may be prepared while that one still runs ("programmatic dependent launch";
// PTX ISA, griddepcontrol). For sm_90 at least. Its own successor is let in when its last block has ended,
// or, if it is let in early, when all of its blocks have begun.
std::string with_dependent_launches(const std::string &ptx, bool early_successor);

// Names of what the text calls and does not define; empty when it is whole.
std::vector<std::string> undefined_calls(const std::string &ptx);

} // namespace ks::ptx
