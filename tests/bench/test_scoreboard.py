# SPDX-License-Identifier: Apache-2.0
"""bench/scoreboard with a fake peer:  test_scoreboard.py EVONODE"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SCOREBOARD = os.path.join(HERE, "..", "..", "bench", "scoreboard")
FIELDS = {"row", "unit", "ours", "peer", "peer_name", "ratio", "spread", "goal", "fraction_of_limit"}
PROGRAMS = []


def scoreboard(*options):
    """Exit code, and the JSON where it was written."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "board.json")
        code = subprocess.run([sys.executable, SCOREBOARD, "--json", path, "--pairs", "2", "--patience",
                               "0", *PROGRAMS, *options], check=False, stdout=subprocess.DEVNULL).returncode
        if not os.path.exists(path):
            return code, None
        table = subprocess.run([sys.executable, SCOREBOARD, "--markdown", path], check=True,
                               stdout=subprocess.PIPE, text=True).stdout
        with open(path, encoding="utf-8") as file:
            return code, {**json.load(file), "table": table}


def against_fake(kind):
    return scoreboard("--rows", "matmul_dense", "--peer-command",
                      f"{sys.executable} {os.path.join(HERE, 'fake_peer.py')} {kind}")


class Scoreboard(unittest.TestCase):
    def test_ratio_of_samples(self):
        code, board = against_fake("right")
        self.assertEqual(code, 0)
        (row,) = board["rows"]
        self.assertLessEqual(FIELDS, set(row))
        self.assertEqual((row["peer_name"], row["peer"], row["unit"]), ("fake", 0.01, "s"))
        self.assertLess(0, row["ours"])
        low, high = row["spread"]
        self.assertLessEqual(low, row["ratio"])
        self.assertLessEqual(row["ratio"], high)
        self.assertEqual(row["met"], row["ratio"] >= row["goal"])
        self.assertLess(0, row["fraction_of_limit"])
        self.assertLess(row["difference"], 1e-5)
        self.assertEqual(board["peers"], {"torch": "fake 1"})
        self.assertLessEqual(0, board["exchange"])
        self.assertEqual(len(board["table"].splitlines()), 3)

    def test_pairs_of_a_busy_machine(self):
        code, board = scoreboard("--patience", "0.01", "--rows", "matmul_dense", "--peer-command",
                                 f"{sys.executable} {os.path.join(HERE, 'fake_peer.py')} right")
        self.assertEqual(code, 0)
        (row,) = board["rows"]
        self.assertEqual(row["pairs"], 2)
        self.assertIn(row["left_out"], range(5))

    def test_no_row_without_equal_numbers(self):
        code, board = against_fake("wrong")
        self.assertEqual(code, 1)
        (row,) = board["rows"]
        self.assertIn("differ", row["error"])
        self.assertNotIn("ratio", row)

    def test_ours_only(self):
        code, board = scoreboard("--ours-only", "--rows", "norm", "first_step")
        self.assertEqual(code, 0)
        self.assertEqual([r["ratio"] for r in board["rows"]], [None, None])
        self.assertTrue(all(r["ours"] > 0 for r in board["rows"]))

    def test_unknown_row(self):
        code, board = scoreboard("--rows", "no_such_row")
        self.assertEqual((code, board), (2, None))


if __name__ == "__main__":
    PROGRAMS = ["--evonode", sys.argv[1]]
    unittest.main(argv=sys.argv[:1])
