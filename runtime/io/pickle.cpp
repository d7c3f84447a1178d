// SPDX-License-Identifier: Apache-2.0
// The stack machine of the unpickler, protocols 2 to 5. Every opcode that torch.save writes, and no other.
#include "runtime/io/pickle.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include "runtime/io/pickle_torch.h"
#include <cstdio>
#include <unordered_map>

namespace ks::io {

namespace {

constexpr size_t kMaxBytes = size_t{64} << 20;
constexpr size_t kMaxValues = size_t{4} << 20; // values and memo entries, each
constexpr size_t kMaxStack = size_t{1} << 20;  // the writer flushes containers every 1000 items
constexpr size_t kMaxMarks = 256;              // open containers
constexpr size_t kMaxGlobal = 256;             // characters of a module or name

class Machine {
  public:
    Machine(const std::string &source, const std::byte *data, size_t size)
        : source_(source), data_(data), size_(size) {}

    Pickle run() {
        if (size_ > kMaxBytes) fail("over the limit of 64 MiB");
        if (take<uint8_t>() != 0x80) fail("does not begin with a protocol number");
        auto protocol = take<uint8_t>();
        if (protocol < 2 || protocol > 5) fail("protocol " + std::to_string(protocol) + " is not supported");
        for (uint8_t op = take<uint8_t>(); op != '.'; op = take<uint8_t>()) {
            if (!scalar(op) && !container(op) && !memo(op) && !object(op)) fail_opcode(op);
        }
        if (stack_.size() != 1 || !marks_.empty()) fail("ends with unfinished values");
        if (at_ != size_) fail("bytes follow its end");
        out_.root = stack_[0];
        return std::move(out_);
    }

  private:
    [[noreturn]] void fail(const std::string &cause) const {
        throw Error(source_, "pickle: " + cause + " (byte " + std::to_string(at_) + ")");
    }
    [[noreturn]] void fail_opcode(uint8_t op) const {
        char hex[8];
        std::snprintf(hex, sizeof hex, "0x%02x", op);
        fail(std::string("opcode ") + hex + " is not allowed");
    }

    template <typename T>
    T take() {
        if (!fits(at_, sizeof(T), size_)) fail("is cut short");
        T value = load_le<T>(data_ + at_);
        at_ += sizeof(T);
        return value;
    }
    std::string take_text(uint64_t count) {
        if (!fits(at_, count, size_)) fail("is cut short");
        std::string text(reinterpret_cast<const char *>(data_ + at_), static_cast<size_t>(count));
        at_ += static_cast<size_t>(count);
        return text;
    }
    std::string take_line() {
        std::string text;
        for (char c = static_cast<char>(take<uint8_t>()); c != '\n'; c = static_cast<char>(take<uint8_t>())) {
            if (text.size() == kMaxGlobal) fail("the name of a global is too long");
            text += c;
        }
        return text;
    }

    bool push(PickleValue value) {
        if (out_.values.size() == kMaxValues) fail("holds too many values");
        out_.values.push_back(std::move(value));
        return push_ref(&out_.values.back());
    }
    bool push_ref(PickleValue *value) {
        if (stack_.size() == kMaxStack) fail("stacks too many values");
        stack_.push_back(value);
        return true;
    }
    // Values below an open mark belong to a container that is not finished: they cannot be popped.
    size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
    PickleValue &top() const {
        if (stack_.size() <= floor()) fail("takes a value from an empty stack");
        return *stack_.back();
    }
    PickleValue &pop() {
        PickleValue &value = top();
        stack_.pop_back();
        return value;
    }
    std::vector<PickleRef> pop_last(size_t count) {
        if (stack_.size() - floor() < count) fail("takes a value from an empty stack");
        std::vector<PickleRef> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
        stack_.resize(stack_.size() - count);
        return items;
    }
    std::vector<PickleRef> pop_mark() {
        if (marks_.empty()) fail("ends a container that was not begun");
        std::vector<PickleRef> items = pop_last(stack_.size() - marks_.back());
        marks_.pop_back();
        return items;
    }
    template <typename T>
    T &container_on_top(const char *what) const {
        T *found = std::get_if<T>(&top().data);
        if (!found) fail(std::string("adds items to something else than a ") + what);
        return *found;
    }

    bool scalar(uint8_t op) {
        switch (op) {
        case 'N':
            return push({std::monostate{}});
        case 0x88:
            return push({true});
        case 0x89:
            return push({false});
        case 'J':
            return push({int64_t{take<int32_t>()}});
        case 'K':
            return push({int64_t{take<uint8_t>()}});
        case 'M':
            return push({int64_t{take<uint16_t>()}});
        case 0x8a:
            return push({long_of(take<uint8_t>())});
        case 'G':
            return push({big_endian_double(take<uint64_t>())});
        case 'X':
            return push({take_text(take<uint32_t>())});
        case 0x8c:
            return push({take_text(take<uint8_t>())});
        case 0x8d:
            return push({take_text(take<uint64_t>())});
        default:
            return false;
        }
    }
    int64_t long_of(size_t count) {
        if (count > 8) fail("an integer has more than 64 bits");
        uint64_t value = 0;
        for (size_t i = 0; i < count; ++i) value |= uint64_t{take<uint8_t>()} << (8 * i);
        const bool negative = count > 0 && (value >> (8 * count - 1)) & 1;
        if (negative && count < 8) value |= ~uint64_t{0} << (8 * count);
        return static_cast<int64_t>(value);
    }
    static double big_endian_double(uint64_t stored) {
        uint64_t swapped = __builtin_bswap64(stored);
        double value;
        std::memcpy(&value, &swapped, sizeof value);
        return value;
    }

    bool container(uint8_t op) {
        switch (op) {
        case '(':
            if (marks_.size() == kMaxMarks) fail("nests too many open containers");
            marks_.push_back(stack_.size());
            return true;
        case ')':
            return push({PickleTuple{}});
        case ']':
            return push({PickleList{}});
        case '}':
            return push({PickleDict{}});
        case 't':
            return push({PickleTuple{pop_mark()}});
        case 0x85:
            return push({PickleTuple{pop_last(1)}});
        case 0x86:
            return push({PickleTuple{pop_last(2)}});
        case 0x87:
            return push({PickleTuple{pop_last(3)}});
        case 'a':
            return extend(pop_last(1));
        case 'e':
            return extend(pop_mark());
        case 's':
            return set_items(pop_last(2));
        case 'u':
            return set_items(pop_mark());
        default:
            return false;
        }
    }
    bool extend(const std::vector<PickleRef> &items) {
        auto &list = container_on_top<PickleList>("list").items;
        list.insert(list.end(), items.begin(), items.end());
        return true;
    }
    bool set_items(const std::vector<PickleRef> &items) {
        auto &dict = container_on_top<PickleDict>("dict").items;
        if (items.size() % 2 != 0) fail("a dict has a key without a value");
        for (size_t i = 0; i < items.size(); i += 2) dict.emplace_back(items[i], items[i + 1]);
        return true;
    }

    bool memo(uint8_t op) {
        switch (op) {
        case 'q':
            return store(take<uint8_t>());
        case 'r':
            return store(take<uint32_t>());
        case 0x94:
            return store(static_cast<uint32_t>(memo_.size()));
        case 'h':
            return recall(take<uint8_t>());
        case 'j':
            return recall(take<uint32_t>());
        case 0x95: // a frame: only its length is checked
            if (!fits(0, take<uint64_t>(), size_ - at_)) fail("is cut short");
            return true;
        default:
            return false;
        }
    }
    bool store(uint32_t index) {
        if (memo_.size() == kMaxValues) fail("remembers too many values");
        memo_[index] = &top();
        return true;
    }
    bool recall(uint32_t index) {
        auto found = memo_.find(index);
        if (found == memo_.end()) fail("recalls value " + std::to_string(index) + ", which it never stored");
        return push_ref(found->second);
    }

    bool object(uint8_t op) {
        switch (op) {
        case 'c': {
            std::string module = take_line();
            return push(torch_global(source_, module, take_line()));
        }
        case 0x93: {
            const PickleValue &name = pop(), &module = pop();
            if (!name.as<std::string>() || !module.as<std::string>()) fail("a global's name is not text");
            return push(torch_global(source_, *module.as<std::string>(), *name.as<std::string>()));
        }
        case 'R': {
            const PickleValue &args = pop(), &callable = pop();
            if (!args.as<PickleTuple>() || !callable.as<PickleGlobal>())
                fail("calls something that is not callable");
            return push(torch_call(source_, *callable.as<PickleGlobal>(), *args.as<PickleTuple>()));
        }
        case 'Q':
            return push(torch_storage(source_, pop()));
        case 'b': // the attributes of an OrderedDict (torch keeps module versions there): not needed
            if (!pop().as<PickleDict>() || !top().as<PickleDict>())
                fail("sets attributes of something else than a dict");
            return true;
        default:
            return false;
        }
    }

    const std::string &source_;
    const std::byte *data_;
    size_t size_, at_ = 0;
    Pickle out_;
    std::vector<PickleValue *> stack_;
    std::vector<size_t> marks_; // stack heights
    std::unordered_map<uint32_t, PickleValue *> memo_;
};

} // namespace

Pickle parse_pickle(const std::string &source, const std::byte *data, size_t size) {
    return Machine(source, data, size).run();
}

} // namespace ks::io
