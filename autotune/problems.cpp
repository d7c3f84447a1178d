// SPDX-License-Identifier: Apache-2.0
#include "autotune/problems.h"
#include <unistd.h>

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

// Offsets of the sequences of a packed call, which a shape has as a dimension; it leaves `dims`.
std::vector<int> equal_sequences(const Contract &contract, Dims &dims) {
    auto at = dims.find("sequences");
    if (at == dims.end()) return {};
    int64_t count = at->second, steps = dims.at(contract.ragged) / count;
    dims.erase(at);
    std::vector<int> starts;
    for (int64_t s = 0; s <= count; s++) starts.push_back(static_cast<int>(s * steps));
    return starts;
}

size_t keep_bytes() {
    static const size_t bytes =
        static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE)) / 8;
    return bytes;
}

} // namespace

Call &Problems::get(const Contract &contract, const Spec &spec, const std::string &isa, const Dims &shape,
                    Copies copies) {
    if (std::string kernel = contract.name + " " + spec.text(); kernel != kernel_) {
        kept_.clear(), answers_.clear(), passing_.reset(), cold_.reset();
        bytes_ = 0, kernel_ = std::move(kernel);
    }
    auto make = [&] {
        Dims dims = cases::call_dims(contract, spec, shape);
        auto problem =
            cases::random_problem(contract, spec.choices, dims, true, equal_sequences(contract, dims));
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
    if (passing_ && passing_key_ == key) return *passing_;
    passing_.reset();
    auto made = make();
    size_t bytes = size_of(*made, copies);
    if (bytes_ + bytes > keep_bytes()) return passing_key_ = key, *(passing_ = std::move(made));
    bytes_ += bytes;
    return *(kept_[std::move(key)] = std::move(made));
}

const Problems::Answer &Problems::answer(const Call &call, const Dims &shape) {
    auto at = answers_.find(shape);
    return at != answers_.end() ? at->second
                                : answers_.emplace(shape, Answer{expected(call.problem()), 1}).first->second;
}

void Problems::adopt(const Dims &shape, cases::Results values) {
    answers_.emplace(shape, Answer{std::move(values), 2});
}

} // namespace ks::tune
