// SPDX-License-Identifier: Apache-2.0
// A buffer that notices writes beside it: canaries on both sides, then pages that may not be touched, so that
// a wild kernel is either reported or killed at once instead of hurting the next candidate.
#pragma once
#include <cstddef>
#include <string>

namespace ks::tune {

class GuardedBuffer {
  public:
    // `bytes` aligned to `alignment` (a power of two, up to 4096). Throws ks::Error when memory runs out.
    explicit GuardedBuffer(size_t bytes, size_t alignment = 64);
    ~GuardedBuffer();
    GuardedBuffer(const GuardedBuffer &) = delete;
    GuardedBuffer &operator=(const GuardedBuffer &) = delete;

    void *data() const { return data_; }
    size_t size() const { return bytes_; }
    void poison(); // fills the buffer with 0xff: NaN in every float type; an element never written shows
    std::string damage() const; // empty, or "written 12 bytes before the buffer"

  private:
    unsigned char *map_, *low_, *data_, *high_; // [low_, data_) and [data_ + bytes_, high_) are canaries
    size_t bytes_, mapped_;
};

} // namespace ks::tune
