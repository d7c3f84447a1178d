// SPDX-License-Identifier: Apache-2.0
// The rows of bench/gpu, and its command line, without a GPU.
#include "tests/bench/gpu/python.h"
#include <algorithm>

namespace ks::test {
namespace {

using Rows = Python;

const std::string command = "'" KS_SOURCE_DIR "/bench/gpu/run' ";

TEST_F(Rows, AreListedOnceEach) {
    Said said = shell(command + "--list");
    ASSERT_EQ(said.status, 0) << said.err;
    std::vector<std::string> ids;
    for (std::istringstream in(said.out); std::getline(in, ids.emplace_back());) {
    }
    ids.pop_back();
    EXPECT_EQ(ids.size(), 111u);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

TEST_F(Rows, AreChosenByPatterns) {
    EXPECT_EQ(shell(command + "--list --only 'conv-B?,*head-M1*,scan-f16*'").out,
              "scan-f16-B8-L2048-D3072\nconv-B1\nconv-B8\nlinear-decode-2.8B-head-M1\n"
              "linear-decode-2.8B-head-M1-bandwidth\n");
}

TEST_F(Rows, KeepTheCommandWithoutPlaces) {
    expect_prints(
        "from bench.gpu.main import command_of, parse\nprint(command_of(parse(['--pack', '/a', '--rivals', "
        "'/b.py', '--only', 'conv*', '--json', '/c', '--rounds', '99'])))\nprint(command_of(parse([])))\n",
        "bench/gpu/run --pack DIR --rivals FILE --only 'conv*' --rounds 99\n"
        "bench/gpu/run --pack DIR --only '*' --rounds 41\n");
}

TEST_F(Rows, RefuseAPatternThatFitsNone) {
    Said said = shell(command + "--only scam");
    EXPECT_EQ(said.status, 1);
    EXPECT_EQ(said.err, "error: --only scam: no row fits; --list prints the ids\n");
}

TEST_F(Rows, AskForTheSharesOfBandwidthWhereMemoryBinds) {
    expect_prints(
        "from bench.gpu.rows import linear\n"
        "print([(m, n) for m, all in linear.PROJECTIONS.items() for n in all if len(linear.decode(m, n, "
        "1).claims) > 1], linear.decode('2.8B', 'head', 1).claims[1].goal)\n",
        "[('1.5B', 'in'), ('1.5B', 'fc1'), ('2.8B', 'in'), ('2.8B', 'out'), ('2.8B', 'fc1'), ('2.8B', "
        "'fc2'), ('2.8B', 'head')] 0.85\n");
}

TEST_F(Rows, SpreadTokensOverExperts) {
    expect_prints(
        "from bench.gpu.rows.experts import loads\nprint(loads(8, False), loads(64, True), loads(1, "
        "False), sum(loads(16384, True)))\n",
        "[1, 1, 1, 1, 1, 1, 1, 1] [38, 4, 4, 4, 4, 4, 3, 3] [1, 0, 0, 0, 0, 0, 0, 0] 16384\n");
}

TEST_F(Rows, HaveBothEndsAmongRaggedLengths) {
    expect_prints(
        "from bench.gpu.rows.scan import ragged_lengths\nl = ragged_lengths(64, 512)\nprint(len(l), min(l), "
        "max(l), l == ragged_lengths(64, 512))\n",
        "64 1 512 True\n");
}

TEST_F(Rows, TellARivalThatIsNotThere) {
    expect_prints(
        "from bench.gpu.rivals import Absent, Rivals\nopen(scratch + '/r.py', 'w').write('versions = "
        "{\"x\": \"1\"}\\ndef state_update(*a): return 5\\n')\nrivals = Rivals(scratch + '/r.py')\n"
        "print(rivals['state_update'](), rivals.versions)\ntry:\n    rivals['causal_conv1d']\nexcept Absent "
        "as why:\n    print(why)\n",
        "5 {'x': '1'}\nno causal-conv1d: No module named 'causal_conv1d_cuda'; bench/gpu/rivals.py says "
        "where it comes from\n");
}

} // namespace
} // namespace ks::test
