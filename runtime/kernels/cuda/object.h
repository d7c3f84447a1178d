// SPDX-License-Identifier: Apache-2.0
// The device code of one kernel object in this process: loaded on a device when it is first called there.
#pragma once
#include "runtime/kernels/cuda/image.h"
#include "runtime/kernels/cuda/launcher.h"
#include <array>
#include <atomic>
#include <mutex>

namespace ks::cuda {

class Object {
  public:
    // The object whose state pointer this is, made at the first call; any thread. `images`: a block of
    // image.h.
    static Object &at(void **state, const char *images);

    struct Ready {
        Function function;
        bool waits; // for the launch before it, which its own may overlap
    };

    // A kernel by the name constant of its caller, allowed that much dynamic shared memory. Throws ks::Error:
    // no image for the device, the driver refuses it, too much shared memory.
    Ready ready(const OpenDevice &device, const char *name, int shared_bytes);

    // How its launches differ from ordinary ones; null: not at all.
    const TileLaunch *launch() const { return launch_; }

  private:
    struct Kernel {
        const char *name;
        Function function;
        std::atomic<int> shared_allowed;
        Kernel *next;
    };
    struct Loaded {
        Module module = nullptr;
        bool waits = false;
        std::atomic<Kernel *> kernels{nullptr};
    };

    explicit Object(const char *images) : images_(images), launch_(launch_in(images)) {}
    Loaded &loaded(const OpenDevice &device);
    Kernel &kernel(const OpenDevice &device, const char *name);
    void allow_shared(const OpenDevice &device, Kernel &kernel, int bytes);

    const char *images_;
    const TileLaunch *launch_;

    std::mutex loading_;
    std::array<std::atomic<Loaded *>, most_devices> on_{};
};

} // namespace ks::cuda
