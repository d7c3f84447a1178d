// SPDX-License-Identifier: Apache-2.0
// What a tile's consumers do besides the product: bias, gate and residual of the tests' own algorithm, with
// the bias also out of shared memory that Halide allocates, behind a barrier of the consumers alone.
#include "tests/dsl/tile/cuda/examples.h"
#include "tests/emulator/tile_test.h"
#include <random>

namespace ks::test {
namespace {

using tile::Example, tile::Shape, tile::TileOp;

// Numbers of few bits, so that results are exact in bf16.
std::vector<float> numbers(int count, int most, unsigned seed) {
    std::mt19937 engine(seed);
    std::vector<float> all;
    for (int i = 0; i < count; i++)
        all.push_back(static_cast<float>(static_cast<int>(engine() % (2 * most + 1)) - most));
    return all;
}

// A vector, or rows of so many elements, as f32 or as bf16.
struct Array {
    Array(ExactDevice &device, const std::vector<float> &values, int columns, bool f32)
        : count(values.size()),
          dims{{0, columns ? columns : static_cast<int>(count), 1, 0},
               {0, columns ? static_cast<int>(count) / columns : 1, columns, 0}},
          buffer{0,
                 nullptr,
                 nullptr,
                 0,
                 {f32 ? kernel_float : kernel_uint, static_cast<uint8_t>(f32 ? 32 : 16), 1},
                 columns ? 2 : 1,
                 dims,
                 nullptr},
          memory(device.memory(count * (f32 ? 4 : 2), true)) {
        for (size_t i = 0; i < count; i++) {
            uint32_t bits;
            std::memcpy(&bits, &values[i], sizeof bits);
            const uint16_t high = static_cast<uint16_t>(bits >> 16);
            f32 ? memory->write(4 * i, &bits, 4) : memory->write(2 * i, &high, 2);
        }
        memory->place(buffer, 0);
    }
    Array(const Array &) = delete;
    float read(size_t i) const { // of bf16
        uint16_t high;
        memory->read(2 * i, &high, 2);
        const uint32_t bits = uint32_t{high} << 16;
        float value;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }
    size_t count;
    KernelDim dims[2];
    KernelBuffer buffer;
    std::unique_ptr<tune::Memory> memory;
};

class TileEpilogues : public TileTest {
  protected:
    // y = gate(row) * (a w + bias(n)) + residual(n, row)
    void is_right(Shape s, const TileOp &op) {
        s.epilogue = true;
        auto kernel = built(Example(s, op).kernel());
        auto a = numbers(s.M * s.K, 1, 1), w = numbers(s.N * s.K, 1, 2), bias = numbers(s.N, 5, 3),
             gate = numbers(s.M, 1, 4), residual = numbers(s.M * s.N, 9, 5);
        Array of_a(device_, a, s.K, false), of_w(device_, w, s.K, false), of_bias(device_, bias, 0, true),
            of_gate(device_, gate, 0, true), of_residual(device_, residual, s.N, false),
            y(device_, std::vector<float>(residual.size(), -77), s.N, false);
        void *arguments[] = {&of_a.buffer,    &of_w.buffer,        &of_bias.buffer,
                             &of_gate.buffer, &of_residual.buffer, &y.buffer};
        kernel->run(arguments);
        for (int row = 0; row < s.M; row++)
            for (int n = 0; n < s.N; n++) {
                float sum = bias[static_cast<size_t>(n)];
                for (int k = 0; k < s.K; k++)
                    sum += a[static_cast<size_t>(row * s.K + k)] * w[static_cast<size_t>(n * s.K + k)];
                const auto at = static_cast<size_t>(row * s.N + n);
                ASSERT_EQ(y.read(at), gate[static_cast<size_t>(row)] * sum + residual[at])
                    << row << ", " << n;
            }
    }

    static TileOp small(const std::function<void(TileOp &)> &change) {
        TileOp op;
        op.columns = 64, op.warpgroups = 1, op.stages = 2;
        op.producer_threads = 32, op.producer_registers = op.consumer_registers = 0;
        change(op);
        return op;
    }
};

TEST_F(TileEpilogues, OfStagedStores) {
    is_right({130, 72, 136}, small([](TileOp &) {}));
    is_right({200, 136, 72}, small([](TileOp &op) { op.order = {4, 2}; })); // two blocks take turns
}

TEST_F(TileEpilogues, OfDirectStores) {
    is_right({130, 68, 72}, small([](TileOp &op) { op.staged_store = false; }));
    is_right({100, 124, 264}, small([](TileOp &op) {
                 op.staged_store = false, op.splits = 2, op.order = {1, 0};
             }));
}

TEST_F(TileEpilogues, WithSharedMemoryOfHalide) {
    Shape shared{130, 72, 136};
    shared.shared_bias = true;
    is_right(shared, small([](TileOp &op) { op.warpgroups = 2; }));
    is_right(shared, small([](TileOp &op) { op.staged_store = false; }));
    is_right(shared, small([](TileOp &op) {
                 op.unit = tile::Unit::mma, op.staged_store = false, op.producer_threads = 0;
             }));
}

} // namespace
} // namespace ks::test
