// SPDX-License-Identifier: Apache-2.0
#include "autotune/cases/difference.h"
#include "autotune/cases/element.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace ks::cases {
namespace {

std::vector<uint8_t> bytes_of(const std::string &storage, const Values &values) {
    std::vector<uint8_t> bytes(values.size() * element_size(storage));
    for (size_t i = 0; i < values.size(); i++)
        put_element(storage, bytes.data() + i * element_size(storage), values[i]);
    return bytes;
}

// More than one block of elements.
constexpr size_t many = 200000;

TEST(Difference, IsTheLargestOfAllBlocks) {
    for (const char *storage : {"f32", "bf16", "f16"}) {
        Values wanted(many, 1), values = wanted;
        values[70000] = 1.5, values[199999] = 1.25;
        Difference d = largest_difference(storage, bytes_of(storage, values).data(), wanted, 0.5);
        EXPECT_EQ(d.largest, 0.5) << storage;
        EXPECT_FALSE(d.first) << storage;
    }
}

TEST(Difference, NamesTheFirstThatIsTooFarOff) {
    Values wanted(many, 1), values = wanted;
    values[199999] = 3, values[70001] = 2;
    Difference d = largest_difference("f32", bytes_of("f32", values).data(), wanted, 0.5);
    EXPECT_EQ(d.first, std::optional<size_t>(70001));
    EXPECT_EQ(d.is, 2);
    EXPECT_EQ(d.largest, 2);
}

TEST(Difference, NaNIsTooFarOffAndInfinityIsWhereItIsWanted) {
    Values wanted(many, 1), values = wanted;
    wanted[5] = values[5] = std::numeric_limits<double>::infinity();
    EXPECT_FALSE(largest_difference("f32", bytes_of("f32", values).data(), wanted, 0.5).first);
    values[140000] = std::numeric_limits<double>::quiet_NaN();
    Difference d = largest_difference("f32", bytes_of("f32", values).data(), wanted, 0.5);
    EXPECT_EQ(d.first, std::optional<size_t>(140000));
    EXPECT_TRUE(std::isnan(d.is));
    EXPECT_EQ(d.largest, 0);
}

} // namespace
} // namespace ks::cases
