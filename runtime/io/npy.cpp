// SPDX-License-Identifier: Apache-2.0
// The .npy header is a Python dict literal of three known keys: read by a small strict scanner, never
// evaluated.
#include "runtime/io/npy.h"
#include "runtime/base/error.h"
#include "runtime/io/atomic_file.h"
#include "runtime/io/bytes.h"
#include "runtime/io/mapped_file.h"
#include <string_view>

namespace ks::io {

namespace {

constexpr std::string_view kMagic{"\x93NUMPY", 6};
constexpr size_t kMaxHeader = size_t{64} << 10;
constexpr size_t kAlignment = 64; // data begin in files that we write, as NumPy does it

struct Descr {
    const char *text;
    DType dtype;
};
constexpr Descr kTypes[] = {{"<f4", DType::f32}, {"<f2", DType::f16}, {"<f8", DType::f64},
                            {"<i8", DType::i64}, {"<i4", DType::i32}, {"<i2", DType::i16},
                            {"|i1", DType::i8},  {"|u1", DType::u8},  {"|b1", DType::boolean}};

// Scans {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } with any order of the keys.
class HeaderScanner {
  public:
    HeaderScanner(const std::string &source, std::string_view text) : source_(source), text_(text) {}

    void scan(Tensor &out) {
        expect('{');
        while (!accept('}')) {
            std::string_view key = quoted();
            expect(':');
            if (key == "descr" && !descr_)
                descr_ = true, out.dtype = dtype();
            else if (key == "fortran_order" && !order_)
                order_ = true, fortran_order();
            else if (key == "shape" && !shape_)
                shape_ = true, out.shape = shape();
            else
                fail("has an unknown or repeated key " + shown(key));
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_space();
        if (at_ != text_.size()) fail("is followed by something");
        if (!descr_ || !order_ || !shape_) fail("lacks descr, fortran_order or shape");
    }

  private:
    [[noreturn]] void fail(const std::string &cause) const { throw Error(source_, "npy header " + cause); }
    void skip_space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    }
    bool accept(char c) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) fail(std::string("lacks '") + c + "' at character " + std::to_string(at_));
    }
    std::string_view quoted() {
        expect('\'');
        size_t end = text_.find('\'', at_);
        if (end == std::string_view::npos) fail("has text without an end");
        std::string_view out = text_.substr(at_, end - at_);
        at_ = end + 1;
        return out;
    }
    bool accept_word(std::string_view word) {
        skip_space();
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }
    DType dtype() {
        skip_space();
        if (at_ < text_.size() && text_[at_] == '[')
            fail("describes a structured array, which is not supported");
        std::string_view text = quoted();
        for (const Descr &type : kTypes)
            if (text == type.text) return type.dtype;
        fail("has element type " + shown(text) + ", which is not supported");
    }
    void fortran_order() {
        if (accept_word("True")) fail("says Fortran order: save a C-ordered array (numpy.ascontiguousarray)");
        if (!accept_word("False")) fail("has a fortran_order that is neither True nor False");
    }
    std::vector<int64_t> shape() {
        std::vector<int64_t> out;
        expect('(');
        while (!accept(')')) {
            if (out.size() == kMaxRank) fail("has more than 8 dimensions");
            out.push_back(number());
            if (accept(',')) continue;
            expect(')');
            if (out.size() == 1) fail("has a shape that is not a tuple");
            break;
        }
        return out;
    }
    int64_t number() {
        skip_space();
        int64_t value = 0;
        size_t begin = at_;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, text_[at_] - '0', &value))
                fail("has a dimension that is too large");
        }
        if (at_ == begin) fail("has a dimension that is not a number >= 0");
        return value;
    }

    const std::string &source_;
    std::string_view text_;
    size_t at_ = 0;
    bool descr_ = false, order_ = false, shape_ = false;
};

template <typename T>
Tensor view_of(const std::string &name, DType dtype, const std::vector<T> &values,
               std::vector<int64_t> shape) {
    uint64_t bytes = 0;
    if (!checked_bytes(shape, dtype, bytes) || bytes != values.size() * sizeof(T))
        throw Error(name, "shape " + shape_text(shape) + " is not that of " + std::to_string(values.size()) +
                              " values");
    const auto *data = reinterpret_cast<const std::byte *>(values.data());
    return {name, dtype, std::move(shape), data, static_cast<size_t>(bytes)};
}

} // namespace

Tensor tensor_of(const std::string &name, const std::vector<float> &values, std::vector<int64_t> shape) {
    return view_of(name, DType::f32, values, std::move(shape));
}
Tensor tensor_of(const std::string &name, const std::vector<double> &values, std::vector<int64_t> shape) {
    return view_of(name, DType::f64, values, std::move(shape));
}
Tensor tensor_of(const std::string &name, const std::vector<int32_t> &values, std::vector<int64_t> shape) {
    return view_of(name, DType::i32, values, std::move(shape));
}
Tensor tensor_of(const std::string &name, const std::vector<int64_t> &values, std::vector<int64_t> shape) {
    return view_of(name, DType::i64, values, std::move(shape));
}

Tensor parse_npy(const std::string &source, const std::byte *data, size_t size) {
    const std::string_view all(reinterpret_cast<const char *>(data), size);
    if (size < 10 || all.substr(0, kMagic.size()) != kMagic) throw Error(source, "is not a npy array");
    const int major = static_cast<int>(data[6]);
    if (major < 1 || major > 3)
        throw Error(source, "npy version " + std::to_string(major) + " is not supported");
    const size_t begin = major == 1 ? 10 : 12;
    if (size < begin) throw Error(source, "npy header is cut short");
    const size_t count = major == 1 ? load_le<uint16_t>(data + 8) : load_le<uint32_t>(data + 8);
    if (count > kMaxHeader) throw Error(source, "npy header is over the limit of 64 KiB");
    if (!fits(begin, count, size)) throw Error(source, "npy header is cut short");
    Tensor out;
    HeaderScanner(source, all.substr(begin, count)).scan(out);
    uint64_t bytes = 0;
    const size_t rest = size - begin - count;
    if (!checked_bytes(out.shape, out.dtype, bytes) || bytes != rest)
        throw Error(source, "npy shape " + shape_text(out.shape) + " of " + name_of(out.dtype) +
                                " does not take " + std::to_string(rest) + " bytes");
    out.data = data + begin + count;
    out.bytes = rest;
    return out;
}

std::string npy_header(const std::string &source, const Tensor &tensor) {
    const char *descr = nullptr;
    for (const Descr &type : kTypes)
        if (type.dtype == tensor.dtype) descr = type.text;
    if (!descr) throw Error(source, std::string(name_of(tensor.dtype)) + " has no NumPy type");
    std::string dict = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (";
    for (int64_t d : tensor.shape) dict += std::to_string(d) + ", ";
    if (tensor.shape.size() > 1) dict.resize(dict.size() - 2); // (3, 4) but (3, )
    dict += "), }";
    dict.append(kAlignment - (10 + dict.size() + 1) % kAlignment, ' ');
    dict += '\n';
    std::string out(kMagic);
    out += {'\1', '\0', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
    return out + dict;
}

Array read_npy(const std::string &path) {
    MappedFile file(path);
    Tensor view = parse_npy(path, file.data(), file.size());
    return {view.dtype, view.shape, {view.data, view.data + view.bytes}};
}

void write_npy(const std::string &path, const Tensor &tensor) {
    std::string header = npy_header(path, tensor);
    AtomicFile file(path);
    file.write(header.data(), header.size());
    file.write(tensor.data, tensor.bytes);
    file.commit();
}

} // namespace ks::io
