// SPDX-License-Identifier: Apache-2.0
// The files that builders have written: one a candidate, named by its identity and by who built it.
#pragma once
#include "autotune/stages.h"

namespace ks::tune {

class Artefacts {
  public:
    // Removes what other builders have left in the folder: nobody would ask for it again, and every build of
    // this program is another builder.
    Artefacts(const std::string &folder, Builder &builder);

    std::string path(const std::string &id) const;
    bool there(const std::string &id) const;
    Outcome make(const Candidate &c, const std::string &id, double seconds) const; // any thread

  private:
    std::string folder_;
    Builder &builder_;
};

} // namespace ks::tune
