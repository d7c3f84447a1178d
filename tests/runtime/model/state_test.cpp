// SPDX-License-Identifier: Apache-2.0
// States saved and restored; no allocation per token.
#include "runtime/base/error.h"
#include "runtime/model/model.h"
#include "tests/runtime/io/files.h"
#include "tests/support/random_model.h"
#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <new>

namespace {
std::atomic<int64_t> allocations{0};
}

// Counts every allocation of this program.
void *operator new(size_t size) {
    allocations++;
    if (void *p = std::malloc(size ? size : 1)) return p;
    throw std::bad_alloc();
}
void operator delete(void *p) noexcept { std::free(p); }
void operator delete(void *p, size_t) noexcept { std::free(p); }

namespace ks::model {
namespace {

using test::expect_error;

std::vector<float> step(Model &model, State &state, int token) {
    int one = 1;
    const float *logits = model.forward(state, {0, 1, &token, &one}, Logits::last);
    return {logits, logits + model.config().vocab};
}

class States : public testing::Test {
  protected:
    States() : random_(test::small_config({"r", "8", "r1"}, 40), "f32", 3), model_(random_.folder(), {}) {}
    test::RandomModel random_;
    Model model_;
    test::ScratchFolder scratch_;
    std::vector<int> prompt_ = {1, 5, 9, 2, 6};
};

TEST_F(States, RestoredContinuesTheSame) {
    State state(model_.config(), 1), restored(model_.config(), 1);
    model_.prefill(state, 0, prompt_.data(), prompt_.size());
    state.save(scratch_.path("state.npz"));
    restored.load(scratch_.path("state.npz"));
    EXPECT_EQ(restored.position(0), 5);
    for (int token : {3, 4, 5}) EXPECT_EQ(step(model_, state, token), step(model_, restored, token));
}

TEST_F(States, ForeignOrDamagedFilesLeaveTheStateAlone) {
    State state(model_.config(), 1), two(model_.config(), 2);
    model_.prefill(state, 0, prompt_.data(), prompt_.size());
    state.save(scratch_.path("good.npz"));
    two.save(scratch_.path("two.npz"));
    std::string bytes = test::read_all(scratch_.path("good.npz"));
    scratch_.write("cut.npz", bytes.substr(0, bytes.size() / 2));
    expect_error(scratch_.path("two.npz"), "this model's state is", [&] { state.load(scratch_.path("two.npz")); });
    expect_error(scratch_.path("cut.npz"), "", [&] { state.load(scratch_.path("cut.npz")); });
    State fresh(model_.config(), 1);
    fresh.load(scratch_.path("good.npz"));
    EXPECT_EQ(step(model_, state, 7), step(model_, fresh, 7));
}

TEST_F(States, NoAllocationPerToken) {
    State state(model_.config(), 1);
    model_.prefill(state, 0, prompt_.data(), prompt_.size());
    int one = 1, token = 3;
    model_.forward(state, {0, 1, &token, &one}, Logits::last);
    int64_t before = allocations;
    for (int i = 0; i < 50; i++) model_.forward(state, {0, 1, &token, &one}, Logits::last);
    EXPECT_EQ(allocations, before);
}

TEST_F(States, BadBatchesAreRefused) {
    State state(model_.config(), 1);
    int one = 1, zero = 0, token = 67;
    EXPECT_THROW(model_.forward(state, {0, 1, &token, &one}, Logits::last), Error); // not in the vocabulary
    token = -1;
    EXPECT_THROW(model_.forward(state, {0, 1, &token, &one}, Logits::last), Error);
    token = 1;
    EXPECT_THROW(model_.forward(state, {0, 1, &token, &zero}, Logits::last), Error);
    EXPECT_THROW(model_.forward(state, {0, 2, &token, &one}, Logits::last), Error);
    EXPECT_THROW(model_.forward(state, {1, 1, &token, &one}, Logits::last), Error);
}

} // namespace
} // namespace ks::model
