// SPDX-License-Identifier: Apache-2.0
#include "autotune/problems.h"

namespace ks::tune {

using cases::Call;
using cases::Copies;

namespace {

// Operands are held in double precision, as they are stored, and in every copy.
size_t size_of(const Call &call, const Copies &copies) {
    size_t sum = 0;
    for (const auto &[name, values] : call.problem().in) {
        int number = name == "w" ? copies.weights : copies.others;
        sum += values.size() * (sizeof(double) + sizeof(float) * static_cast<size_t>(1 + number));
    }
    return sum;
}

} // namespace

Call &Problems::get(const Contract &contract, const Spec &spec, const std::string &isa, const Dims &shape,
                    Copies copies) {
    if (std::string kernel = contract.name + " " + spec.text(); kernel != kernel_) {
        kept_.clear(), answers_.clear(), passing_.reset(), cold_.reset();
        bytes_ = 0, kernel_ = std::move(kernel);
    }
    auto make = [&] {
        auto problem = cases::random_problem(contract, spec.choices, cases::call_dims(contract, spec, shape));
        return std::make_unique<Call>(std::move(problem), device_for(isa), copies);
    };
    std::pair<Dims, Copies> key(shape, copies);
    if (auto at = kept_.find(key); at != kept_.end()) return *at->second;
    if (copies.others > 1) {
        if (cold_ && cold_shape_ == shape) return *cold_;
        cold_.reset(); // first, to hold one at a time
        cold_shape_ = shape;
        return *(cold_ = make());
    }
    passing_.reset();
    auto made = make();
    size_t bytes = size_of(*made, copies);
    if (bytes_ + bytes > keep_bytes) return *(passing_ = std::move(made));
    bytes_ += bytes;
    return *(kept_[std::move(key)] = std::move(made));
}

const cases::Results &Problems::answer(const Call &call, const Dims &shape) {
    auto at = answers_.find(shape);
    return at != answers_.end() ? at->second
                                : answers_.emplace(shape, expected(call.problem())).first->second;
}

} // namespace ks::tune
