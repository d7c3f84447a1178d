// SPDX-License-Identifier: Apache-2.0
// Time on a GPU of what a program launches: captured into a graph, so that neither the gaps between launches
// nor the host are in it. Everything throws ks::Error with the driver's reason.
#pragma once
#include "runtime/kernels/cuda/launcher.h"
#include <functional>

namespace ks::cuda {

class Timer {
  public:
    explicit Timer(const OpenDevice &device);
    ~Timer();
    Timer(const Timer &) = delete;
    Timer &operator=(const Timer &) = delete;

    Stream stream() const { return stream_; } // where timed calls go
    // Seconds from the start of the first kernel that `calls` puts on stream() to the end of the last.
    double seconds(const std::function<void()> &calls);

  private:
    const OpenDevice &device_;
    Stream stream_ = nullptr;
    Event before_ = nullptr, after_ = nullptr;
};

} // namespace ks::cuda
