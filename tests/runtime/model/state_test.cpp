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

// Counts every allocation of this program: operator new comes here too.
#ifndef __SANITIZE_ADDRESS__
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}
void *realloc(void *p, size_t size) {
    allocations++;
    return __libc_realloc(p, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    allocations++;
    return __libc_memalign(alignment, size);
}
}
#endif

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
    expect_error(scratch_.path("two.npz"), "this model's state is",
                 [&] { state.load(scratch_.path("two.npz")); });
    expect_error(scratch_.path("cut.npz"), "", [&] { state.load(scratch_.path("cut.npz")); });
    test::RandomModel wider(test::small_config({"r", "8", "r1"}, 44), "f32", 3),
        other(test::small_config({"8", "r", "r1"}, 40), "f32", 3);
    for (const test::RandomModel *m : {&wider, &other}) {
        Model model(m->folder(), {});
        State foreign(model.config(), 1);
        foreign.save(scratch_.path("foreign.npz"));
        expect_error(scratch_.path("foreign.npz"), "", [&] { state.load(scratch_.path("foreign.npz")); });
    }
    expect_error(scratch_.path("none.npz"), "", [&] { state.load(scratch_.path("none.npz")); });
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
    prompt_.push_back(4);
    EXPECT_GT(allocations, before) << "nothing is counted";
    before = allocations;
    AlignedBytes counted(64);
    EXPECT_GT(allocations, before) << "aligned memory is not counted";
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
