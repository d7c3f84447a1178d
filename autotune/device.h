// SPDX-License-Identifier: Apache-2.0
// What the measuring code needs of a device: guarded memory, candidates loaded, and the time of calls. One
// implementation per family; everything else (problems, checks, rounds, workers) is the same for all.
#pragma once
#include "runtime/kernels/buffer_abi.h"
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace ks::tune {

// The functions that every artefact exports are named after this: `<artefact_symbol>_argv(void **)`.
// The same name for all, so that the bytes of an object depend on its machine code alone.
constexpr const char *artefact_symbol = "ks_candidate";

// Memory for one operand. Guards around it tell of writes beside it.
class Memory {
  public:
    virtual ~Memory() = default;
    virtual void write(size_t offset, const void *from, size_t bytes) = 0;
    virtual void read(size_t offset, void *to, size_t bytes) const = 0;
    virtual void place(KernelBuffer &buffer, size_t offset) const = 0; // says where a kernel finds that byte
    virtual std::string damage() const = 0; // of the guards; empty when all is well
};

// A candidate in this process.
class Artefact {
  public:
    virtual ~Artefact() = default;
    // Arguments as in runtime/kernels/buffer_abi.h; on devices that work beside the host it may return before
    // the kernel has ended. Throws ks::Error when it cannot be started.
    virtual void run(void **arguments) const = 0;
};

class Device {
  public:
    virtual ~Device() = default;
    virtual std::string name() = 0; // what tells its samples from those of others
    virtual bool runs(const std::string &isa) = 0;
    virtual std::unique_ptr<Memory> memory(size_t bytes, bool guarded) = 0; // throws ks::Error
    virtual std::unique_ptr<Artefact> load(const std::string &path) = 0;    // throws ks::Error
    virtual void wait() = 0; // until all that was started has ended; throws ks::Error when something failed
    virtual double seconds(const std::function<void()> &calls) = 0; // from the start of the first to the end
    virtual size_t cache_bytes() = 0; // of the last level, which warm calls are served from
    // Whether one call serves all sequences (dsl/operands.h: Batch::packed) and is never cut.
    virtual bool packed() { return false; }
    virtual double ghz() = 0; // its clock at this moment under load, measured or asked for; 0: unknown
};

// The device that runs kernels of this instruction set, for the whole process. Throws ks::Error for an
// instruction set that this program has no device for.
Device &device_for(const std::string &isa);

} // namespace ks::tune
