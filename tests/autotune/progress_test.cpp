// SPDX-License-Identifier: Apache-2.0
#include "autotune/progress.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <sstream>

using namespace ks::tune;

namespace {

TEST(Progress, SaysDoneBestAndTimeLeft) {
    EXPECT_EQ(status_line({12, 432, 2, 1.312, "group=8", 245, 0}),
              "12/432 candidates, 2 failed, best 1.31x (group=8), 4:05 left");
    EXPECT_EQ(status_line({0, 5, 0, 1, "", 7265, 0}), "0/5 candidates, 2:01:05 left");
    EXPECT_EQ(status_line({0, 5, 0, 1, "", -3, 0}), "0/5 candidates, 0:00 left");
    EXPECT_EQ(status_line({3, 9, 0, 1.5, "group=8", 45, 4}),
              "3/9 candidates, building 4, best 1.5x (group=8), 0:45 left");
}

TEST(Progress, TerminalRedrawsOneLine) {
    std::ostringstream out;
    auto p = make_progress(out, true, 40);
    p->show({1, 9, 0, 1, "group=1,steps=32,channels=128,rounding=magic", 10, 0});
    p->show({2, 9, 0, 1, "group=1", 10, 0});
    EXPECT_EQ(out.str().find('\n'), std::string::npos);
    size_t second = out.str().rfind('\r');
    EXPECT_EQ(second, 4 + 39u); // "\r\x1b[K" and one column less than the width
    p->note("group=2: wrong");
    EXPECT_NE(out.str().find("\r\x1b[Kgroup=2: wrong\n2/9"), std::string::npos);
    p->finish();
    EXPECT_EQ(out.str().back(), '\n');
}

TEST(Progress, PlainLinesComeWithNewsOnly) {
    std::ostringstream out;
    auto p = make_progress(out, false, 80, 1000);
    for (size_t i = 1; i <= 100; i++) p->show({i, 100, 0, i < 50 ? 1.0 : 1.5, "k=1", 10, 0});
    p->finish();
    std::string t = out.str();
    EXPECT_EQ(std::count(t.begin(), t.end(), '\n'), 3); // the first, the better one, the last
    EXPECT_EQ(t.find('\r'), std::string::npos);
    EXPECT_EQ(t.find('\x1b'), std::string::npos);
    EXPECT_NE(t.find("100/100"), std::string::npos);
}

} // namespace
