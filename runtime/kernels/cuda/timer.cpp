// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/cuda/timer.h"
#include "runtime/base/error.h"

namespace ks::cuda {

namespace {

constexpr unsigned beside_the_default_stream = 1;
constexpr int relaxed = 2; // a first call loads its kernel, which the other modes forbid

// A captured graph that can be launched.
class Replay {
  public:
    Replay(const OpenDevice &device, Stream stream, const std::function<void()> &calls) {
        check(driver_tools().begin_capture(stream, relaxed), device.name.c_str());
        std::string failed;
        try {
            calls();
        } catch (const Error &e) {
            failed = e.what();
        }
        Result ended = driver_tools().end_capture(stream, &graph_);
        if (!failed.empty()) throw Error(failed);
        check(ended, device.name.c_str());
        check(driver_tools().instantiate(&exec_, graph_, 0), device.name.c_str());
    }
    ~Replay() {
        if (exec_) driver_tools().destroy_exec(exec_);
        if (graph_) driver_tools().destroy_graph(graph_);
    }
    Replay(const Replay &) = delete;
    Replay &operator=(const Replay &) = delete;
    GraphExec exec() const { return exec_; }

  private:
    Graph graph_ = nullptr;
    GraphExec exec_ = nullptr;
};

} // namespace

Timer::Timer(const OpenDevice &device) : device_(device) {
    ContextScope scope(device);
    check(driver_tools().create_stream(&stream_, beside_the_default_stream), device.name.c_str());
    check(driver_tools().create_event(&before_, 0), device.name.c_str());
    check(driver_tools().create_event(&after_, 0), device.name.c_str());
}

Timer::~Timer() {
    try {
        ContextScope scope(device_);
        if (after_) driver_tools().destroy_event(after_);
        if (before_) driver_tools().destroy_event(before_);
        if (stream_) driver_tools().destroy_stream(stream_);
    } catch (const Error &) { // the context is gone, and all with it
    }
}

double Timer::seconds(const std::function<void()> &calls) {
    ContextScope scope(device_);
    Replay replay(device_, stream_, calls);
    check(driver_tools().record_event(before_, stream_), device_.name.c_str());
    check(driver_tools().launch_graph(replay.exec(), stream_), device_.name.c_str());
    check(driver_tools().record_event(after_, stream_), device_.name.c_str());
    check(driver_tools().wait_for_event(after_), device_.name.c_str());
    float ms = 0;
    check(driver_tools().elapsed_ms(&ms, before_, after_), device_.name.c_str());
    return static_cast<double>(ms) * 1e-3;
}

} // namespace ks::cuda
