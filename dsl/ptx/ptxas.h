// SPDX-License-Identifier: Apache-2.0
// NVIDIA's assembler: PTX text to machine code for one architecture, on any machine, with or without a GPU.
#pragma once
#include "dsl/ptx/resources.h"
#include <cstdint>
#include <optional>

namespace ks::ptx {

struct Assembly {
    std::string arch;      // "sm_80", "sm_90", "sm_90a", ...
    int max_registers = 0; // per thread; 0: as many as the architecture has
};

struct Cubin {
    std::vector<uint8_t> code; // an ELF image, as cuModuleLoadData takes it
    std::vector<Resources> kernels;
};

// A ptxas program. Several threads may assemble with one at the same time.
class Ptxas {
  public:
    // KS_PTXAS if it is set, else ptxas on the PATH, in /usr/local/cuda/bin, or in the active Python
    // environment's wheel nvidia-cuda-nvcc; nothing when there is none. Throws ks::Error when KS_PTXAS does
    // not run.
    static std::optional<Ptxas> find();
    // Throws ks::Error when `program` is no ptxas.
    explicit Ptxas(const std::string &program);

    const std::string &program() const { return program_; }
    const std::string &version() const {
        return version_;
    } // "13.0.88": part of the identity of what it makes
    bool knows(const std::string &arch) const;

    // Throws ks::Error: an architecture that this version lacks, or text that it refuses (then with the first
    // complaint and the line of PTX that it is about).
    Cubin assemble(const std::string &ptx, const Assembly &options) const;

  private:
    std::string program_, version_, help_;
};

} // namespace ks::ptx
