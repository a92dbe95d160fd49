# SPDX-License-Identifier: Apache-2.0
"""bench/devices, one implementation against itself:  test_devices.py EVONODE"""

import glob
import json
import os
import shutil
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


STUB = """#!{python}
import json, sys
factor = 2 if sys.argv[-1] == "2" else 1
looks = 0
for line in sys.stdin:
    verb, *words = line.split()
    if verb == "open" and words[0] == "ends" and {ends}:
        sys.exit()
    looks += verb == "limits"
    limit = 1e11 if looks == 2 else 6e10
    answers = {{
        "limits": {{"device": "stub", "driver": "1", "flops": limit, "bytes": limit}},
        "speed": {{"flops": 1e9, "exchange": 1e-6}},
        "rows": {{"rows": [{{"key": k, "name": k, "group": "limits"}} for k in ("ends", "flops", "bytes")]}},
        "open": {{"flops": 0 if words[:1] == ["bytes"] else 5 * factor, "bytes": 7 * factor}},
        "run": {{"seconds": 0.125 * factor * {seconds}}},
    }}
    print(json.dumps(answers[verb]), flush=True)
"""


class Stub:
    """A program that answers as evonode does; on device 2 it works twice as much and takes as long."""

    def __init__(self, what, seconds=1):
        self.what, self.seconds = what, seconds

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "stub")
        with open(path, "w", encoding="utf-8") as file:
            file.write(STUB.format(python=sys.executable, ends=self.what == "ends",
                                   seconds=self.seconds))
        os.chmod(path, 0o755)
        return path

    def __exit__(self, *_):
        self.folder.cleanup()


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

    def test_a_row_that_ends_a_side(self):
        with Stub("ends") as stub:
            code, text, result = devices("--evonode", stub, "--", own(), own())
        self.assertEqual(code, 1, text)
        self.assertEqual([("error" in r) for r in result["rows"]], [True, False, False], text)
        self.assertIn("2 of 3 rows measured", text)

    def test_a_side_that_works_more(self):
        """B does twice the work in twice the time: as fast, by multiply-adds or by bytes."""
        with Stub("doubles") as stub:
            code, text, result = devices("--evonode", stub, "--rows", "flops", "bytes", "--", own(), own() + "+2")
        self.assertEqual(code, 0, text)
        for row in result["rows"]:
            self.assertAlmostEqual(row["ratio"], 1)
            self.assertAlmostEqual(row["b"] / row["a"], 2)

    def test_a_version_before(self):
        """A is the version before, which took three times as long."""
        with Stub("doubles", seconds=3) as before, Stub("doubles") as now:
            code, text, result = devices("--before", before, "--evonode", now, "--rows", "flops", "--", own(), own())
        self.assertEqual(code, 0, text)
        self.assertAlmostEqual(result["rows"][0]["ratio"], 1 / 3)

    def test_limits_of_a_disturbed_look(self):
        """The head has the most that was seen: the first look and the last fell on slow seconds."""
        with Stub("doubles") as stub:
            code, text, result = devices("--evonode", stub, "--rows", "flops", "--", own(), own() + "+2")
        self.assertEqual(code, 0, text)
        self.assertEqual(text.count("driver 1, 100 GF/s"), 2, text)
        self.assertEqual([result[side][key] for side in "ab" for key in ("flops", "bytes")], [1e11] * 4)

    def test_a_program_that_there_is_not(self):
        code, text, result = devices("--evonode", "/nonexistent", "--", own(), own())
        self.assertEqual((code, result), (2, None), text)
        self.assertIn("there is no program /nonexistent; build it", text)

    def test_a_result_that_cannot_be_written(self):
        with Stub("doubles") as stub:
            code, text, _ = devices("--evonode", stub, "--json", "/nonexistent/a.json", "--", own(), own())
        self.assertEqual(code, 2, text)
        self.assertIn("/nonexistent/a.json cannot be written", text)
        self.assertNotIn("row ", text)

    def test_from_another_folder(self):
        """Paths are those of the folder that one is in."""
        with Stub("doubles") as stub, tempfile.TemporaryDirectory() as folder:
            shutil.copy(stub, f"{folder}/stub")
            done = subprocess.run([sys.executable, os.path.abspath(DEVICES), "--evonode", "./stub", "--json",
                                   "mine.json", "--pairs", "1", "--patience", "0", "--rows", "flops", "--", own(),
                                   own()], check=False, cwd=folder, stdout=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0)
            self.assertTrue(os.path.exists(f"{folder}/mine.json"))


if __name__ == "__main__":
    PROGRAMS = ["--evonode", sys.argv[1]]
    unittest.main(argv=sys.argv[:1])
