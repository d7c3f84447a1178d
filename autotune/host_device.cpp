// SPDX-License-Identifier: Apache-2.0
// This CPU as a device: guarded host memory, shared libraries, the monotonic clock.
#include "autotune/cuda_device.h"
#include "autotune/guard.h"
#include "runtime/base/aligned.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <chrono>
#include <cstring>
#include <dlfcn.h>
#include <unistd.h>

namespace ks::tune {

namespace {

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

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
    explicit HostArtefact(const std::string &path) : library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        if (!library_) throw Error(path, dlerror());
        std::string symbol = std::string(artefact_symbol) + "_argv";
        call_ = reinterpret_cast<int (*)(void **)>(dlsym(library_, symbol.c_str()));
        if (call_) return;
        dlclose(library_);
        throw Error(path, "has no " + symbol);
    }
    ~HostArtefact() override { dlclose(library_); }
    HostArtefact(const HostArtefact &) = delete;
    HostArtefact &operator=(const HostArtefact &) = delete;
    void run(void **arguments) const override { call_(arguments); }

  private:
    void *library_;
    int (*call_)(void **) = nullptr;
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
        double start = now();
        calls();
        return now() - start;
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
            double start = now();
            int64_t count = steps;
            asm volatile("1: sub $1, %0\n\tjnz 1b" : "+r"(count) : : "cc");
            best = std::min(best, now() - start);
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
