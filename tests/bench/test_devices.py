# SPDX-License-Identifier: Apache-2.0
"""bench/devices, one implementation against itself:  test_devices.py EVONODE"""

import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

DEVICES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "devices")
PROGRAMS = []


def own():
    """The implementation that the tests run on: PoCL where there are several."""
    folder = os.environ.get("OCL_ICD_VENDORS") or "/etc/OpenCL/vendors"
    return min(glob.glob(f"{folder}/*.icd"), key=lambda path: (not path.endswith("pocl.icd"), path))


def devices(*options):
    """Exit code, what was printed, and the JSON where it was written."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "devices.json")
        done = subprocess.run([sys.executable, DEVICES, "--json", path, "--pairs", "2", "--patience", "0",
                               *PROGRAMS, *options], check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        result = None
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                result = json.load(file)
        return done.returncode, done.stdout, result


class Devices(unittest.TestCase):
    def test_ratios(self):
        code, text, result = devices("--most", "1000", "--rows", "limit_l*", "--", own(), own() + "+0")
        self.assertEqual(code, 0, text)
        (row,) = result["rows"]
        self.assertEqual(row["key"], "limit_launch")
        self.assertLess(0, row["a"])
        low, high = row["spread"]
        self.assertLessEqual(low, row["ratio"])
        self.assertLessEqual(row["ratio"], high)
        self.assertTrue(row["met"])
        self.assertIn("1 of 1 rows measured", text)

    def test_a_row_that_is_over(self):
        code, text, result = devices("--most", "0.001", "--rows", "norm", "--", own(), own())
        self.assertEqual(code, 1, text)
        self.assertFalse(result["rows"][0]["met"])
        self.assertIn("in 1: norm", text)

    def test_a_group(self):
        _, _, result = devices("--rows", "limits", "--", own(), own())
        self.assertEqual({r["group"] for r in result["rows"]}, {"limits"})
        self.assertLess(4, len(result["rows"]))

    def test_a_row_that_there_is_not(self):
        code, text, _ = devices("--rows", "no_such_row", "--", own(), own())
        self.assertEqual(code, 1, text)
        self.assertIn("0 of 0 rows", text)

    def test_an_implementation_that_there_is_not(self):
        code, text, result = devices(own(), "no_such_vendor")
        self.assertEqual((code, result), (2, None))
        self.assertIn("there is no /etc/OpenCL/vendors/no_such_vendor.icd", text)

    def test_a_device_that_there_is_not(self):
        code, text, result = devices(own(), own() + "+no_such_device")
        self.assertEqual((code, result), (2, None))
        self.assertIn("no_such_device", text)


if __name__ == "__main__":
    PROGRAMS = ["--evonode", sys.argv[1]]
    unittest.main(argv=sys.argv[:1])
