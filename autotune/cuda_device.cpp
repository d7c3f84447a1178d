// SPDX-License-Identifier: Apache-2.0
// An NVIDIA GPU as a device: guarded device memory, candidates whose host code finds our launcher in this
// program, time by events around a graph.
#include "autotune/cuda_device.h"
#include "autotune/shared_object.h"
#include "runtime/base/error.h"
#include "runtime/kernels/cuda/memory.h"
#include "runtime/kernels/cuda/timer.h"
#include <algorithm>
#include <optional>
#include <vector>

namespace ks::tune {

namespace {

// Canaries around the operand: a kernel that writes beside it hurts them before it meets anything else.
class CudaMemory : public Memory {
  public:
    CudaMemory(const cuda::OpenDevice &device, size_t bytes)
        : bytes_(bytes), memory_(device, bytes + 2 * guard) {
        memory_.fill(canary);
    }
    void write(size_t offset, const void *from, size_t bytes) override {
        memory_.copy_from(from, bytes, guard + offset);
    }
    void read(size_t offset, void *to, size_t bytes) const override {
        memory_.copy_to(to, bytes, guard + offset);
    }
    void place(KernelBuffer &buffer, size_t offset) const override {
        buffer.device = memory_.address() + guard + offset;
    }
    std::string damage() const override {
        std::vector<unsigned char> seen(guard);
        for (size_t at : {size_t{0}, guard + bytes_}) {
            memory_.copy_to(seen.data(), guard, at);
            if (std::any_of(seen.begin(), seen.end(), [](unsigned char c) { return c != canary; }))
                return at ? "written to behind its end" : "written to before its beginning";
        }
        return "";
    }

  private:
    static constexpr size_t guard = 4096;
    static constexpr unsigned char canary = 0xa5;
    size_t bytes_;
    cuda::DeviceMemory memory_;
};

class CudaArtefact : public Artefact {
  public:
    CudaArtefact(const std::string &path, const cuda::OpenDevice &device, cuda::Stream stream)
        : device_(device), stream_(stream), object_(path, SharedObject::Code::stays) {}
    void run(void **arguments) const override {
        cuda::LaunchScope scope(device_, stream_);
        object_.call(arguments);
        if (!scope.error().empty()) throw Error(scope.error());
    }

  private:
    const cuda::OpenDevice &device_;
    cuda::Stream stream_;
    SharedObject object_; // its code stays: the launcher remembers what it loaded for the object
};

class CudaDevice : public Device {
  public:
    explicit CudaDevice(int ordinal) : ordinal_(ordinal) {}
    std::string name() override { return device().name; }
    bool runs(const std::string &isa) override {
        if (isa != "cuda") return false;
        try {
            device();
            return true;
        } catch (const Error &) {
            return false;
        }
    }
    std::unique_ptr<Memory> memory(size_t bytes, bool) override {
        return std::make_unique<CudaMemory>(device(), bytes);
    }
    std::unique_ptr<Artefact> load(const std::string &path) override {
        return std::make_unique<CudaArtefact>(path, device(), timer().stream());
    }
    void wait() override { cuda::synchronize(device()); }
    double seconds(const std::function<void()> &calls) override { return timer().seconds(calls); }
    size_t cache_bytes() override { return static_cast<size_t>(device().cache_bytes); }
    double ghz() override { return 0; } // boosts and throttles by itself; environment() has what NVML says
    bool packed() override { return true; }

  private:
    const cuda::OpenDevice &device() { return cuda::device(ordinal_); }
    cuda::Timer &timer() {
        if (!timer_) timer_.emplace(device());
        return *timer_;
    }
    int ordinal_;
    std::optional<cuda::Timer> timer_;
};

} // namespace

Device &cuda_device(int ordinal) {
    static CudaDevice *first =
        new CudaDevice(ordinal); // its stream must not outlive the driver's own statics
    return *first;
}

} // namespace ks::tune
