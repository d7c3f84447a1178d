// SPDX-License-Identifier: Apache-2.0
// The check that every candidate passes, on hand-made kernels with planted faults; and what timed calls find
// in the caches.
#include "autotune/timing.h"
#include "generators/add.h"
#include "runtime/base/error.h"
#include <cmath>
#include <gtest/gtest.h>
#include <set>

namespace ks::tune {
namespace {

enum class Fault { none, tail, whole_width, dense, overrun, input, drifting, nan };

// y = a + b on this host, as well as the fault lets it.
class Adder : public Artefact {
  public:
    explicit Adder(Fault fault = Fault::none) : fault_(fault) {}

    void run(void **arguments) const override {
        auto *a = static_cast<KernelBuffer *>(arguments[0]), *b = static_cast<KernelBuffer *>(arguments[1]),
             *y = static_cast<KernelBuffer *>(arguments[2]);
        hosts.push_back(y->host);
        int64_t width = y->dim[0].extent, rows = y->dim[1].extent;
        if (fault_ == Fault::whole_width && width < 20) width = 1; // knows its width, not that of a part
        auto at = [&](KernelBuffer *buffer, int64_t row, int64_t i) -> float & {
            int64_t stride = fault_ == Fault::dense ? buffer->dim[0].extent : buffer->dim[1].stride;
            return reinterpret_cast<float *>(buffer->host)[row * stride + i];
        };
        for (int64_t row = 0; row < rows; row++)
            for (int64_t i = 0; i < width; i++) at(y, row, i) = at(a, row, i) + at(b, row, i);
        float &last = at(y, rows - 1, width - 1);
        if (fault_ == Fault::tail && rows == 7) last += 1e-3f;
        if (fault_ == Fault::nan) last = NAN;
        if (fault_ == Fault::overrun) (&last)[1] = 1;
        if (fault_ == Fault::input) at(a, 0, 0) = 0;
        if (fault_ == Fault::drifting && calls_++ >= 3) last = std::nextafter(last, 1e9f);
    }
    mutable std::vector<uint8_t *> hosts; // where y was, call by call

  private:
    Fault fault_;
    mutable int calls_ = 0;
};

// The op `add`, cut along its rows' elements, so that parts are strided; exact but for the drifting kernel.
const Contract &contract() {
    static const Contract c = [] {
        Contract cut = add_contract();
        cut.slice = "H";
        cut.tolerance = {{"f32", 1e-6}};
        return cut;
    }();
    return c;
}

const Subject &subject() {
    static const Subject s{contract(), {{}, {{"H", 20}}}, "avx2"};
    return s;
}

std::string complaint(Fault fault, int64_t rows = 7) {
    Problems problems;
    try {
        EXPECT_EQ(check(Adder(fault), subject(), problems, {{"T", rows}}), 0);
    } catch (const Error &e) {
        return e.what();
    }
    return "";
}

TEST(Check, PassesARightKernel) {
    for (int64_t rows : {1, 7, 64}) EXPECT_EQ(complaint(Fault::none, rows), "");
}

TEST(Check, FindsEveryPlantedFault) {
    auto expect = [](Fault fault, const std::string &what) {
        std::string found = complaint(fault);
        EXPECT_EQ(found.rfind("wrong at T=7: ", 0), 0u) << found;
        EXPECT_NE(found.find(what), std::string::npos) << found << " is not about " << what;
        EXPECT_EQ(found.find('\n'), std::string::npos) << found;
    };
    expect(Fault::tail, "y[139] is ");
    expect(Fault::nan, "y[139] is nan");
    expect(Fault::overrun, "behind the buffer");
    expect(Fault::input, "a, an input, was written to");
    expect(Fault::drifting, "y differs in a second run");
    EXPECT_EQ(complaint(Fault::tail, 8), "") << "it is right there";
}

TEST(Check, FindsWhatIsWrongInPartsAlone) {
    for (Fault fault : {Fault::whole_width, Fault::dense})
        EXPECT_NE(complaint(fault).find(", cut as for two threads"), std::string::npos) << complaint(fault);
}

TEST(Check, FindsNothingWrongInTheCandidateAfterAWrongOne) {
    Problems problems;
    EXPECT_THROW(check(Adder(Fault::nan), subject(), problems, {{"T", 7}}), Error);
    EXPECT_EQ(check(Adder(), subject(), problems, {{"T", 7}}), 0);
}

TEST(Time, TakesTurnsWithCopiesWhereItIsCold) {
    Problems problems;
    auto places = [&](Caches caches) {
        std::vector<std::unique_ptr<Artefact>> one;
        one.push_back(std::make_unique<Adder>());
        auto seconds = time(one, subject(), problems, {{"T", 512}}, caches, 2);
        EXPECT_EQ(seconds.size(), 1u);
        EXPECT_EQ(seconds.at(0).size(), 2u);
        for (double s : seconds.at(0)) EXPECT_TRUE(s > 0 && s < 1) << s;
        auto &hosts = static_cast<Adder &>(*one[0]).hosts;
        return std::set<uint8_t *>(hosts.begin(), hosts.end()).size();
    };
    EXPECT_EQ(places(Caches::warm), 1u);
    size_t cache = device_for("avx2").cache_bytes(), call = 3 * 512 * 20 * 4;
    EXPECT_EQ(copies_for(Caches::cold, subject().spec, {{"T", 512}}, call, device_for("avx2")).others,
              static_cast<int>(std::min<size_t>(2 * cache, size_t{256} << 20) / call) + 1);
    EXPECT_GT(places(Caches::cold), 20u);
}

TEST(Time, NeedsNoGuards) {
    Problems problems;
    auto guarded = [&](cases::Copies copies) {
        auto &call = problems.get(contract(), subject().spec, "avx2", {{"T", 7}}, copies);
        auto *y = static_cast<KernelBuffer *>(call.arguments()[2]);
        reinterpret_cast<float *>(y->host)[7 * 20] = 1; // one too many
        return !call.damage().empty();
    };
    EXPECT_TRUE(guarded({}));
    for (Caches caches : {Caches::warm, Caches::cold})
        EXPECT_FALSE(guarded(copies_for(caches, subject().spec, {{"T", 7}}, 1 << 20, device_for("avx2"))));
}

TEST(Rotation, WeightsAreColdForAFewRows) {
    Spec product{{{"weight", "f32"}, {"panel", "16"}, {"io", "f32"}}, {{"P", 64}, {"K", 1024}}}; // 4 MiB
    Device &cpu = device_for("avx2");
    EXPECT_EQ(deciding(product, {{"M", 1}}), Caches::cold);
    EXPECT_EQ(deciding(product, {{"M", 64}}), Caches::cold);
    EXPECT_EQ(deciding(product, {{"M", 512}}), Caches::warm);
    Spec experts{{{"weight", "bf16"}, {"io", "bf16"}, {"halves", "2"}},
                 {{"E", 8}, {"K", 256}, {"F", 384}, {"B", 8}}}; // 3 MiB
    EXPECT_EQ(deciding(experts, {{"T", 8}}), Caches::cold);
    EXPECT_EQ(deciding(experts, {{"T", 512}}), Caches::warm);
    EXPECT_EQ(copies_for(Caches::cold, product, {{"M", 1}}, 1 << 22, cpu).weights, 22);
    EXPECT_EQ(copies_for(Caches::cold, product, {{"M", 1}}, 1 << 22, cpu).others, 1);
    EXPECT_EQ(copies_for(Caches::warm, product, {{"M", 1}}, 1 << 22, cpu).weights, 1);
    EXPECT_EQ(deciding({{{"io", "f32"}}, {{"D", 64}, {"N", 16}}}, {{"T", 1}}), Caches::warm);
}

TEST(Device, TheHostIsTheOnlyOne) {
    EXPECT_EQ(&device_for("avx2"), &device_for("avx512_bf16"));
    EXPECT_THROW(device_for("sm_90a"), Error);
    double ghz = device_for("avx2").ghz();
    EXPECT_TRUE(ghz > 0.3 && ghz < 8) << ghz;
    EXPECT_THROW(device_for("avx2").load("/no/such/file.so"), Error);
    EXPECT_THROW(device_for("avx2").load("libm.so.6"), Error) << "has no candidate in it";
}

} // namespace
} // namespace ks::tune
