# SPDX-License-Identifier: Apache-2.0
"""Counts the tests of JUnit files that ctest wrote; says why tests were skipped. Non-zero when any failed."""
import collections
import re
import sys
import xml.etree.ElementTree as xml

passed = failed = skipped = 0
reasons = collections.Counter()
for path in sys.argv[1:]:
    for case in xml.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        if case.find("skipped") is not None or status in ("notrun", "disabled"):
            skipped += 1
            output = case.findtext("system-out") or ""
            found = re.search(r"Skipped\n(.*)", output)
            reasons[found.group(1).strip() if found else "not run"] += 1
        elif case.find("failure") is not None or status == "fail":
            failed += 1
            print("failed:", case.get("name"))
        else:
            passed += 1
for reason, count in sorted(reasons.items()):
    print(f"skipped {count}: {reason}")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or not passed else 0)
