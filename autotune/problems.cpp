// SPDX-License-Identifier: Apache-2.0
#include "autotune/problems.h"

namespace ks::tune {

namespace {

// Inputs are held twice: as they are stored, `copies` times at most, and in double precision.
size_t size_of(const Problem &p, int copies) {
    size_t values = 0;
    for (const Operand &o : p.contract().operands)
        if (o.role != Role::output) values += p.input(o.name).size();
    return values * (sizeof(double) + sizeof(float) * static_cast<size_t>(copies));
}

} // namespace

Problem &Problems::get(const Contract &contract, const Spec &spec, const Dims &shape, int copies) {
    if (std::string kernel = contract.name + " " + spec.text(); kernel != kernel_) {
        kept_.clear(), answers_.clear(), passing_.reset();
        bytes_ = 0, kernel_ = std::move(kernel);
    }
    std::pair<Dims, int> key(shape, copies);
    if (auto at = kept_.find(key); at != kept_.end()) {
        at->second->reset();
        return *at->second;
    }
    passing_.reset(); // first, to hold one at a time
    auto made = std::make_unique<Problem>(contract, spec, shape, 1, copies);
    size_t bytes = size_of(*made, copies);
    if (bytes_ + bytes > keep_bytes) return *(passing_ = std::move(made));
    bytes_ += bytes;
    return *(kept_[std::move(key)] = std::move(made));
}

const std::map<std::string, Values> &Problems::answer(const Problem &problem, const Dims &shape) {
    auto at = answers_.find(shape);
    return at != answers_.end() ? at->second : answers_.emplace(shape, expected(problem)).first->second;
}

} // namespace ks::tune
