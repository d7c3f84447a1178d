// SPDX-License-Identifier: Apache-2.0
// ks_bench: every op at sizes of published models, on one core, with the best instruction set and AVX2, by
// Google Benchmark. Counters: speed, and `ceiling`, the share of what the measured peaks of this core (FMA or
// dot products of bf16 pairs; reading) allow.
#include "autotune/ceiling.h"
#include "bench/generators/suite.h"
#include "bench/harness.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include "runtime/kernels/op_table.h"
#include <algorithm>
#include <benchmark/benchmark.h>
#include <cmath>
#include <cstdio>

namespace ks::bench {

namespace {

constexpr double flops_of_exp = 10; // a polynomial of degree 5

// One instruction set of this machine. Google Benchmark enters a benchmark several times, each with more
// iterations: the operands of the one that is running are kept in between, and so is the ceiling measured
// beside it, as on a shared machine bandwidth changes within minutes.
class Device {
  public:
    explicit Device(std::string isa) : isa_(std::move(isa)), library_(open_library(isa_)) {}

    void run(benchmark::State &state, const Benchmark &benchmark) {
        if (running_ != benchmark.name) {
            call_ = {}; // the memory of the last one
            call_ = benchmark.make(*library_);
            ceiling_ = tune::measure_ceiling(isa_);
            call_.run(0);
            running_ = benchmark.name;
        }
        int i = 0;
        double start = seconds_now();
        for (auto _ : state) call_.run(i++);
        double seconds = (seconds_now() - start) / static_cast<double>(state.iterations());
        const Work &w = call_.work;
        double floor = tune::floor_seconds(
            ceiling_, {w.flops + flops_of_exp * w.exps, w.bytes, w.pairs, w.cold ? HUGE_VAL : 0});
        if (w.flops > 0) state.counters["GFLOP/s"] = w.flops / seconds * 1e-9;
        state.counters["GB/s"] = w.bytes / seconds * 1e-9;
        state.counters["ceiling"] = floor / seconds;
    }

  private:
    std::string isa_;
    Library library_;
    std::string running_;
    Call call_;
    tune::Ceiling ceiling_{};
};

bool has_cpu_kernel(int op) {
    const KernelInfo *end = kernel_table.kernels + kernel_table.kernel_count;
    return std::any_of(kernel_table.kernels, end,
                       [&](const KernelInfo &k) { return k.op == op && std::string(k.isa) != "cuda"; });
}

// A new op that nobody measures would go unnoticed. (Those for GPUs alone: bench/gpu.)
void expect_every_op(const Benchmarks &list) {
    for (int i = 0; i < kernel_table.op_count; i++) {
        if (!has_cpu_kernel(i)) continue;
        std::string prefix = std::string(kernel_table.ops[i].name) + "/";
        if (std::none_of(list.begin(), list.end(),
                         [&](const Benchmark &b) { return b.name.rfind(prefix, 0) == 0; }))
            throw Error(kernel_table.ops[i].name, "has no benchmark: add bench/generators/<op>_bench.cpp");
    }
}

void register_all(const Benchmarks &list, const std::string &isa) {
    auto device = std::make_shared<Device>(isa);
    for (const Benchmark &b : list)
        benchmark::RegisterBenchmark((isa + "/" + b.name).c_str(), [device, b](benchmark::State &state) {
            device->run(state, b);
        })->Unit(benchmark::kMicrosecond);
}

} // namespace

} // namespace ks::bench

int main(int argc, char **argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    try {
        benchmark::AddCustomContext("core", std::to_string(ks::bench::pin_to_one_core()));
        benchmark::AddCustomContext("cpu", ks::cpu_name());
        ks::bench::Benchmarks list = ks::bench::all_benchmarks();
        ks::bench::expect_every_op(list);
        for (const std::string &isa : ks::bench::shown_isas()) ks::bench::register_all(list, isa);
        benchmark::RunSpecifiedBenchmarks();
        return 0;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "ks_bench: %s\n", e.what());
        return 1;
    }
}
