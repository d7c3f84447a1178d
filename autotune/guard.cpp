// SPDX-License-Identifier: Apache-2.0
#include "autotune/guard.h"
#include "runtime/base/error.h"
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>

namespace ks::tune {

namespace {

constexpr size_t page = 4096;
constexpr unsigned char canary = 0xa5;

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

} // namespace

// Page layout: forbidden | canary page | data ... canary | forbidden. The data begins behind a whole canary
// page and is followed by at least 64 canary bytes.
GuardedBuffer::GuardedBuffer(size_t bytes, size_t alignment) : bytes_(bytes) {
    if (alignment == 0 || alignment > page || (alignment & (alignment - 1)))
        throw Error(fmt::format("alignment {}", alignment), "is not a power of two up to 4096");
    size_t open = page + round_up(bytes + 64, page);
    mapped_ = open + 2 * page;
    void *map = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) throw Error(fmt::format("buffer of {} bytes", bytes), "cannot be allocated");
    map_ = static_cast<unsigned char *>(map);
    low_ = map_ + page;
    high_ = low_ + open;
    // As near to the forbidden page as the alignment and the canary allow: long overruns are the likeliest.
    data_ = low_ + (open - bytes - 64) / alignment * alignment;
    if (mprotect(low_, open, PROT_READ | PROT_WRITE)) {
        munmap(map_, mapped_);
        throw Error(fmt::format("buffer of {} bytes", bytes), "cannot be allocated");
    }
    std::memset(low_, canary, static_cast<size_t>(data_ - low_));
    std::memset(data_ + bytes, canary, static_cast<size_t>(high_ - data_) - bytes);
    poison();
}

GuardedBuffer::~GuardedBuffer() { munmap(map_, mapped_); }

void GuardedBuffer::poison() { std::memset(data_, 0xff, bytes_); }

std::string GuardedBuffer::damage() const {
    for (unsigned char *p = data_; p-- > low_;)
        if (*p != canary) return fmt::format("written {} bytes before the buffer", data_ - p);
    for (unsigned char *p = data_ + bytes_; p < high_; p++)
        if (*p != canary) return fmt::format("written {} bytes behind the buffer", p - (data_ + bytes_) + 1);
    return "";
}

} // namespace ks::tune
