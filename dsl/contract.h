// SPDX-License-Identifier: Apache-2.0
// Op contract: what an op takes and promises, as plain data. The C header, the argument checks of the
// runtime, the oracle test, the benchmark, the tuner's correctness check and the Halide generator are derived
// from it.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ks {

using Dims = std::map<std::string, int64_t>; // values of named dimensions

struct Dimension {
    std::string name;
    int64_t low, high; // legal domain, both ends included
    bool width;        // a specialised kernel fixes it; the others vary per call
    std::string help;
};

enum class Role { input, optional, output, in_place };

struct Operand {
    std::string name;
    Role role;
    std::string type;               // "f32", "i32", or "io" / "weight": the storage of that name in the Spec
    std::vector<std::string> shape; // dimensions (or numeric choices) by name, outermost first, row-major
                                    // ("E+1", "W-1": one more, one less; empty: a single element)
    bool strided;                   // the outermost stride may exceed the dense one (argument <name>_stride)
    std::string help;
    int flag = 0; // optional: the bit of scalar `flags` that says the operand is there
    // The operand whose memory serves as this one's too. Optional: it is read (and not used) in place of the
    // missing one. Output: it may be the very same (address and stride), for every element is read before it
    // is written and never after.
    std::string stand_in = "";
    bool per_sequence = false; // states: an outer dimension S of sequences in the C API
};

struct Scalar {
    std::string name, type; // "i32" or "f32"
    std::string help;
};

struct Contract {
    std::string name;
    int version; // raised whenever the meaning or layout of anything below changes
    std::string summary;
    std::vector<Dimension> dims;
    std::vector<Operand> operands; // kernel arguments, in this order, outputs included
    std::vector<Scalar> scalars;   // follow the input operands
    // How a call is cut into tasks for threads: along `slice` in multiples of `granule`, and by sequence
    // where the time axis `ragged` packs several (offsets seq_start[S+1] in the C API, one kernel call per
    // sequence).
    std::string slice;
    int granule = 1;
    std::string ragged;
    // Storage and other static choices: name -> legal values.
    std::map<std::string, std::vector<std::string>> choices;
    // By storage of "io" (or "weight"): max |error| / (max |reference|).
    std::map<std::string, double> tolerance;
    std::string non_finite; // what NaN and infinity do
    // Whether kernels with fixed widths for a GPU know the distance of rows when they are compiled: the dense
    // one. Calls with another stride take the base kernel.
    bool dense_when_fixed = false;

    const Dimension &dim(const std::string &name) const;
    const Operand &operand(const std::string &name) const;
};

// An entry of Operand::shape: "E+1" is {"E", 1}.
struct ShapeTerm {
    std::string name;
    int plus;
};
ShapeTerm shape_term(const std::string &entry);

// The dimensions of an operand's buffer: its shape without an innermost choice of 1, for a panel of one lane
// is a row.
std::vector<std::string> buffer_shape(const Operand &operand,
                                      const std::map<std::string, std::string> &choices);

// A kernel to build: the static choices, and what it knows of the widths of its calls (a base kernel nothing).
struct Spec {
    std::map<std::string, std::string> choices;
    Dims fixed;
    Dims multiples = {}; // of widths that are not fixed: so many, and multiples of it

    const std::string &choice(const std::string &name) const; // throws ks::Error when it is missing
    bool is_base() const { return fixed.empty() && multiples.empty(); }
    int64_t divisor(const std::string &dim) const; // what the width is known to be a multiple of; 1: nothing
    bool serves(const Spec &wanted) const;         // whether a kernel of `wanted` can be replaced by one of this
    std::string text() const;                      // canonical: "io=f32,N=16,D%8", each kind sorted by name
};

// Throws ks::Error naming the choice or width that the contract does not allow.
void check(const Contract &contract, const Spec &spec);

} // namespace ks
