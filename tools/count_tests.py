# SPDX-License-Identifier: Apache-2.0
"""Counts the tests of JUnit files; says why tests were skipped. Non-zero when any failed.

The files are those of ctest, and of test programs that are one entry of ctest: build/test-results/<entry>.xml. Such an
entry is counted by its own file; when it crashed before that was written, it counts as one test.
"""
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

paths = [pathlib.Path(path) for path in sys.argv[1:]]
programs = {path.stem for path in paths}
passed = failed = skipped = 0
reasons = collections.Counter()
for path in paths:
    for case in xml.parse(path).getroot().iter("testcase"):
        status, name = case.get("status"), case.get("name")
        if name in programs:
            continue
        if case.find("skipped") is not None or status in ("notrun", "disabled"):
            skipped += 1
            output = case.findtext("system-out") or case.findtext("skipped") or ""
            found = re.search(r"(?:Skipped|:\d+)\n(.*)", output)
            reasons[found.group(1).strip() if found else "not run"] += 1
        elif case.find("failure") is not None or status == "fail":
            failed += 1
            suite = case.get("classname")
            print("failed:", name if suite in (None, name) else f"{suite}.{name}")
        else:
            passed += 1
for reason, count in sorted(reasons.items()):
    print(f"skipped {count}: {reason}")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or not passed else 0)
