"""Passes the output of `cargo test` through and ends with the sum over all test binaries.

Exits with 1 when a test failed or none ran, so that an empty run never looks like a good one.
"""

import re
import sys

RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed;")


def main() -> int:
    passed = failed = 0
    for line in sys.stdin:
        print(line, end="", flush=True)
        if match := RESULT.match(line):
            passed += int(match[1])
            failed += int(match[2])
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
