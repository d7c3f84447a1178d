// SPDX-License-Identifier: Apache-2.0
// Damaged copies of the configurations of every family: refused in one line, or a configuration within its
// limits.
#include "runtime/io/json_file.h"
#include "runtime/model/config.h"
#include "tests/runtime/io/files.h"
#include "tests/runtime/io/mutations.h"

namespace ks::model {

TEST(ConfigMutation, EveryFamily) {
    for (const char *family : {"blackmamba_tiny", "mamba_hf_tiny", "mamba_native_tiny"}) {
        SCOPED_TRACE(family);
        const std::string valid =
            test::read_all(std::string(KS_SOURCE_DIR) + "/tests/golden/" + family + "/config.json");
        test::survives_damage(valid, 3000, "config.json: ", [](const std::string &text) {
            Config c = parse_config("config.json", io::parse_json("config.json", text));
            EXPECT_FALSE(c.layers.empty());
            for (int64_t size : {c.hidden, c.inner, c.state, c.conv_width, c.dt_rank, c.vocab})
                EXPECT_GT(size, 0);
            EXPECT_LE(c.tokens, c.vocab);
        });
    }
}

} // namespace ks::model
