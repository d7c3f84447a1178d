// SPDX-License-Identifier: Apache-2.0
// A candidate: one op with its static choices, its target and one point of its schedule space; and its
// identity.
#pragma once
#include "dsl/contract.h"
#include "schedules/space.h"
#include <nlohmann/json.hpp>
#include <string>

namespace ks::tune {

using json = nlohmann::json;

struct Candidate {
    std::string op;
    Spec spec;
    std::string isa; // "avx2", "avx512", "sm_90a" ...
    Knobs knobs;

    std::string text() const; // "selective_scan io=f32,N=16 avx512 group=8,vectors=1"
};

// What decides the code of a candidate besides the candidate itself.
struct Versions {
    int op = 0;           // Contract::version
    std::string compiler; // Halide, LLVM and ptxas versions as one string
};

// 16 hexadecimal digits over everything above: equal identities are the same machine code.
std::string identity(const Candidate &candidate, const Versions &versions);

json to_json(const Candidate &candidate);
Candidate
candidate_from_json(const json &object); // throws ks::Error naming the field that is missing or wrong

Knobs parse_knobs(const std::string &text); // the inverse of Knobs::text; throws ks::Error
Dims parse_dims(const std::string &text);   // "B=1,T=64"; throws ks::Error
std::string dims_text(const Dims &dims);    // canonical: sorted by name

// How many knobs differ: of two equally fast candidates the one nearer to the default is the simpler.
int distance(const Knobs &a, const Knobs &b);

} // namespace ks::tune
