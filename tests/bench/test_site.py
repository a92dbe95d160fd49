# SPDX-License-Identifier: Apache-2.0
"""The pages of measured devices, from results that nobody measured:  test_site.py WRITER EVONODE"""

import html.parser
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
WRITER, EVONODE = sys.argv[1], sys.argv[2]


class Reader(html.parser.HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def blocks(page):
    return "\n".join(re.findall(r"```\{=html\}\n(.*?)\n```", page, re.S))


class Site(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        subprocess.run([WRITER, self.folder], check=True, stdout=subprocess.DEVNULL)
        self.files = sorted((self.folder / "results").glob("*/*.json"))
        (self.folder / "results/README.md").write_text("# Devices\n\nWhat it is.\n")

    def pages(self, *predicted):
        made = self.folder / "made"
        tool = SOURCE / "tools/site/results.py"
        subprocess.run([sys.executable, tool, self.folder / "results", made, *predicted], check=True)
        return {str(p.relative_to(made)): p.read_text() for p in made.rglob("*.md")}

    def check(self, *files):
        return subprocess.run([EVONODE, "bench", "check", *files], capture_output=True, text=True, check=False)

    def test_files_can_be_taken(self):
        self.assertEqual(len(self.files), 3)
        self.assertEqual(self.check(*self.files).returncode, 0)

    def test_changed_file_is_refused(self):
        self.files[1].write_text(self.files[1].read_text().replace('"fp64": true', '"fp64": false'))
        done = self.check(*self.files)
        self.assertEqual(done.returncode, 11)
        self.assertIn("hash does not fit", done.stderr)
        self.assertIn("1 of 3 files", done.stderr)
        self.assertEqual(done.stdout.count("can be taken"), 2)

    def test_pages(self):
        pages = self.pages()
        self.assertEqual(set(pages), {"index.md", "vendor-co/fast-1.md", "vendor-co/slow.md"})
        index = pages["index.md"]
        self.assertEqual(index.count("<circle"), 6)  # three results in two charts
        self.assertEqual(len(re.findall(r'<td><a href="vendor-co/(?:fast-1|slow)\.html">', index)), 3)
        self.assertIn('data-value="12800">12800<', index)  # 128 images in 10 ms
        self.assertIn("addEventListener", index)
        self.assertNotIn("<1>", index)
        self.assertEqual(pages["vendor-co/fast-1.md"].count("\n## "), 2)
        self.assertLess(pages["vendor-co/fast-1.md"].index("2026-11-29"), pages["vendor-co/fast-1.md"].index("2026-11-28"))
        self.assertIn("does not compute in fp16", pages["vendor-co/slow.md"])
        for name, page in pages.items():
            self.assertNotRegex(page, r"https?:|src=", name)
            text = re.sub(r"<script>.*?</script>", "", blocks(page), flags=re.S)
            self.assertEqual(Reader(text).wrong, [], name)

    def test_slow_and_failed(self):
        """A device of which little can be measured, and that slowly."""
        data = json.loads(self.files[-1].read_text())
        data["limits"]["bytes"] = 0.352e9
        for i, row in enumerate(data["rows"]):
            if row["key"] == "mnist_euler":
                data["rows"][i] = {k: row[k] for k in ("key", "name", "group")} | {"failed": "given up <here>"}
        self.files[-1].write_text(json.dumps(data))
        pages = self.pages()
        self.assertEqual(pages["index.md"].count("<circle"), 4)
        self.assertIn(">0.35</td>", pages["index.md"])
        self.assertIn('<td colspan="7">failed: given up &lt;here&gt;</td>', pages["vendor-co/slow.md"])
        self.assertIn('<td colspan="7">not measured: the device does not', pages["vendor-co/slow.md"])

    def test_predicted(self):
        name = json.loads(self.files[0].read_text())["device"]["name"]
        row = "mnist_euler"
        path = self.folder / "predicted.tsv"
        path.write_text(f"# head\nu\t{name}\t{row}\t3.25\tlaunches\t1\nv\tAnother\t{row}\t7.75\tmemory\t0\n")
        with_column = [p for p in self.pages(path).values() if "predicted, ms" in p]
        self.assertEqual(len(with_column), 1)
        self.assertIn('<td class="number">≥ 3.25</td>', with_column[0])
        self.assertNotIn("7.75", with_column[0])
        self.assertEqual(Reader(blocks(with_column[0])).wrong, [])
        self.assertFalse([p for p in self.pages().values() if "predicted, ms" in p])

    def test_no_result(self):
        for file in self.files:
            file.unlink()
        self.assertIn("no result yet", self.pages()["index.md"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
