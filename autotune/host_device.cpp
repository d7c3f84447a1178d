// SPDX-License-Identifier: Apache-2.0
// This CPU as a device: guarded host memory, shared libraries, the monotonic clock.
#include "autotune/cuda_device.h"
#include "autotune/guard.h"
#include "autotune/shared_object.h"
#include "runtime/base/aligned.h"
#include "runtime/base/clock.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cstring>
#include <unistd.h>

namespace ks::tune {

namespace {

class HostMemory : public Memory {
  public:
    void write(size_t offset, const void *from, size_t bytes) override {
        std::memcpy(data() + offset, from, bytes);
    }
    void read(size_t offset, void *to, size_t bytes) const override {
        std::memcpy(to, data() + offset, bytes);
    }
    void place(KernelBuffer &buffer, size_t offset) const override { buffer.host = data() + offset; }

  private:
    virtual uint8_t *data() const = 0;
};

class GuardedMemory : public HostMemory {
  public:
    explicit GuardedMemory(size_t bytes) : buffer_(bytes) {}
    std::string damage() const override { return buffer_.damage(); }

  private:
    uint8_t *data() const override { return static_cast<uint8_t *>(buffer_.data()); }
    GuardedBuffer buffer_;
};

// As the runtime allocates, with room behind it, as between the operands of a model.
class PlainMemory : public HostMemory {
  public:
    explicit PlainMemory(size_t bytes) try : bytes_(bytes + room) {
    } catch (const std::bad_alloc &) {
        throw Error("buffer of " + std::to_string(bytes) + " bytes", "cannot be allocated");
    }
    std::string damage() const override { return ""; }

  private:
    static constexpr size_t room = 16384;
    uint8_t *data() const override { return reinterpret_cast<uint8_t *>(bytes_.data()); }
    AlignedBytes bytes_;
};

class HostArtefact : public Artefact {
  public:
    explicit HostArtefact(const std::string &path) : object_(path) {}
    void run(void **arguments) const override { object_.call(arguments); }

  private:
    SharedObject object_;
};

class HostDevice : public Device {
  public:
    std::string name() override { return cpu_name(); }
    bool runs(const std::string &isa) override { return cpu_has(isa); }
    std::unique_ptr<Memory> memory(size_t bytes, bool guarded) override {
        if (guarded) return std::make_unique<GuardedMemory>(bytes);
        return std::make_unique<PlainMemory>(bytes);
    }
    std::unique_ptr<Artefact> load(const std::string &path) override {
        return std::make_unique<HostArtefact>(path);
    }
    void wait() override {}
    double seconds(const std::function<void()> &calls) override {
        double start = seconds_now();
        calls();
        return seconds_now() - start;
    }
    size_t cache_bytes() override {
        long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
        return bytes > 0 ? static_cast<size_t>(bytes) : size_t{32} << 20;
    }
    // Additions that wait for each other take a cycle each: what the core does now, whatever the system says.
    double ghz() override {
        constexpr int64_t steps = 400000;
        double best = 1e9;
        for (int i = 0; i < 3; i++) {
            double start = seconds_now();
            int64_t count = steps;
            asm volatile("1: sub $1, %0\n\tjnz 1b" : "+r"(count) : : "cc");
            best = std::min(best, seconds_now() - start);
        }
        return static_cast<double>(steps) / best * 1e-9;
    }
};

} // namespace

Device &device_for(const std::string &isa) {
    if (isa == "cuda") return cuda_device(0);
    static HostDevice host;
    for (const std::string &known : all_isas())
        if (isa == known) return host;
    throw Error("instruction set " + isa, "has no device that this program can measure on");
}

} // namespace ks::tune
