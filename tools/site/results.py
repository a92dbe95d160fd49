#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pages of the results in a folder, as Markdown with HTML inside:  results.py RESULTS OUT [PREDICTED]

PREDICTED is docs/devices/predicted.tsv: what stands beside what was measured, on devices of that name.
Writes OUT/index.md, what all devices have, and OUT/VENDOR/DEVICE.md, a page a device. The files are
those that `evonode bench check` takes; tools/site.sh makes pages of what is written."""

import html
import json
import math
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
BATCH = 128  # images of an MNIST step
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 360, 240, 46, 12, 10, 34


class Result:
    def __init__(self, path):
        self.path = path
        self.data = json.loads(path.read_text(encoding="utf-8"))
        self.rows = {row["key"]: row for row in self.data["rows"]}
        self.device = self.data["device"]

    def median(self, key):
        return self.rows.get(key, {}).get("median")

    def rate(self, key, amount=1):
        """How many times `amount` a second; None: not measured."""
        seconds = self.median(key)
        return amount / seconds if seconds else None

    def limit(self, name):
        value = self.data["limits"].get(name)
        return 1e-9 * value if value else None

    def order(self):
        return self.data["date"], self.device["driver"]


def rounded(value):
    """Whole from 10 on; slow devices have two digits of theirs, too."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


# The columns of the table of all: title, number to text, value.
COLUMNS = [
    ("multiply-add, GF/s", rounded, lambda r: r.limit("flops")),
    ("memory, GB/s", rounded, lambda r: r.limit("bytes")),
    ("MNIST, images/s", rounded, lambda r: r.rate("mnist_euler", BATCH)),
    ("MNIST adjoint, images/s", rounded, lambda r: r.rate("mnist_adjoint", BATCH)),
    ("flow, iterations/s", rounded, lambda r: r.rate("flow_512")),
    ("curve, iterations/s", rounded, lambda r: r.rate("curve_euler")),
    ("digits to 97.5 %, s", "{:.2f}".format, lambda r: r.median("digits_97_5")),
]
TEXTS = [("driver", lambda r: r.device["driver"]), ("platform", lambda r: r.device["platform"]),
         ("type", lambda r: r.device["type"]), ("evonode", lambda r: r.data["evonode"]),
         ("date", lambda r: r.data["date"])]


def slug(text):
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "unknown"


def escape(text):
    return html.escape(" ".join(str(text).split()), quote=True)  # a line of its own would end a block of HTML


def shown(form, value):
    return "–" if value is None else form(value)


def short(text, most=26):
    return text if len(text) <= most else text[:most - 1].rstrip() + "…"


def block(text):
    """HTML that pandoc leaves alone."""
    return f"\n```{{=html}}\n{text}\n```\n"


# Charts ------------------------------------------------------------------------------------------

def axis(values):
    """Powers of ten around positive values."""
    low = math.floor(math.log10(min(values)))
    return low, max(math.ceil(math.log10(max(values))), low + 1)


def scatter(results, x_title, x_of, y_title, y_of):
    """A point for each result, both axes logarithmic; "" where nothing has both."""
    points = [(x_of(r), y_of(r), r) for r in results if x_of(r) and y_of(r)]
    if not points:
        return ""
    x_low, x_high = axis([x for x, _, _ in points])
    y_low, y_high = axis([y for _, y, _ in points])

    def at(x, y):
        across = (math.log10(x) - x_low) / (x_high - x_low)
        up = (math.log10(y) - y_low) / (y_high - y_low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)

    parts = []
    for power in range(x_low, x_high + 1):
        x, _ = at(10.0 ** power, 10.0 ** y_low)
        # The first must not touch the other axis's, the last not leave the picture.
        anchor = ("end", WIDTH) if power == x_high else ("start", LEFT) if power == x_low else ("middle", x)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/><text x="{anchor[1]:.1f}" '
                     f'y="{HEIGHT - BOTTOM + 13}" text-anchor="{anchor[0]}">{10.0 ** power:g}</text>')
    for power in range(y_low, y_high + 1):
        _, y = at(10.0 ** x_low, 10.0 ** power)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/><text x="{LEFT - 4}" y="{y + 4:.1f}" '
                     f'text-anchor="end">{10.0 ** power:g}</text>')
    for x_value, y_value, result in points:
        x, y = at(x_value, y_value)
        label = escape(f"{result.device['name']}, {result.device['driver']}: "
                       f"{x_value:.3g} {x_title}, {y_value:.3g} {y_title}")
        end = x > WIDTH / 2
        parts.append(f'<a href="{escape(device_page(result))}"><circle class="{slug(result.device["type"])}" cx="{x:.1f}" '
                     f'cy="{y:.1f}" r="4"><title>{label}</title></circle><text x="{x + (-7 if end else 7):.1f}" '
                     f'y="{y + 4:.1f}" text-anchor="{"end" if end else "start"}">{escape(short(result.device["name"]))}'
                     "</text></a>")
    parts.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_title)}</text>')
    title = escape(f"{y_title}, against {x_title}")
    return (f'<figure class="chart"><figcaption>{title}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{title}">{"".join(parts)}</svg></figure>')


def bars(result):
    """Shares of the limit of each kernel."""
    rows = [r for r in result.data["rows"] if r["group"] == "kernels" and r.get("fraction_of_limit")]
    if not rows:
        return ""
    most = max(1.0, max(r["fraction_of_limit"] for r in rows))
    scale = (WIDTH - 50) / most
    parts = [f'<path class="limit" d="M{scale:.1f} 0V{28 * len(rows)}"/>']
    for i, row in enumerate(rows):
        y, share = 28 * i, row["fraction_of_limit"]
        parts.append(f'<text x="0" y="{y + 11}">{escape(row["name"])}</text><path class="bar" d="M0 {y + 19}H'
                     f'{scale * share:.1f}"/><text x="{scale * share + 4:.1f}" y="{y + 23}">{100 * share:.0f} %</text>')
    title = "Kernels: share of the device's own limit"
    return (f'<figure class="chart"><figcaption>{title}</figcaption><svg viewBox="0 0 {WIDTH} {28 * len(rows)}" '
            f'role="img" aria-label="{title}">{"".join(parts)}</svg></figure>')


# Pages -------------------------------------------------------------------------------------------

def device_page(result):
    """From the page of all."""
    return f"{slug(result.device['vendor'])}/{slug(result.device['name'])}.html"


def all_table(results):
    heads = ["device"] + [title for title, _, _ in COLUMNS] + [title for title, _ in TEXTS]
    lines = ["<div class=\"table wide\"><table class=\"sortable\"><thead><tr>"
             + "".join(f'<th><button type="button">{escape(h)}</button></th>' for h in heads) + "</tr></thead><tbody>"]
    for r in results:
        cells = [f'<td><a href="{escape(device_page(r))}">{escape(r.device["name"])}</a></td>']
        for _, form, of in COLUMNS:
            value = of(r)
            key = f' data-value="{value:.9g}"' if value is not None else ""
            cells.append(f'<td class="number"{key}>{shown(form, value)}</td>')
        cells += [f"<td>{escape(of(r))}</td>" for _, of in TEXTS]
        lines.append("<tr>" + "".join(cells) + "</tr>")
    script = (HERE / "sort.js").read_text(encoding="utf-8")
    return "\n".join(lines) + f"</tbody></table></div>\n<script>\n{script}</script>"


def index(results, introduction):
    if not results:
        return introduction + "\nThere is no result yet.\n"
    peak, bandwidth, images = COLUMNS[0], COLUMNS[1], COLUMNS[2]
    charts = [scatter(results, x[0], x[2], images[0], images[2]) for x in (bandwidth, peak)]
    return (introduction + "\n## Training speed against bandwidth and peak\n\nImages a second of an MNIST step: "
            "NODE, 10 Euler steps, backprop, batch 128.\n" + block('<div class="charts">' + "".join(charts) + "</div>")
            + "\n## All results\n\nA click on a column's head sorts by it.\n" + block(all_table(results)))


def facts(r):
    d, data = r.device, r.data
    selftest = data["selftest"]
    pairs = [("driver", d["driver"]), ("platform", f"{d['platform']}, {d['platform_version']}"),
             ("vendor", d["vendor"]), ("type", d["type"]),
             ("compute units", f"{d['compute_units']} at {d['clock_mhz']} MHz"),
             ("memory", f"{d['global_bytes'] / 2 ** 30:.1f} GiB, {d['local_bytes'] / 1024:.0f} KiB local"),
             ("precisions", "fp32" + (", fp64" if d["fp64"] else "") + (", fp16" if d["fp16"] else "")),
             ("evonode", f"{data['evonode']}, {data['host']['compiler']}, {data['host']['system']}"),
             ("tuning", data["tuning"] or "none"), ("power", data["power"]["source"]),
             ("self-test", f"{sum(f['cases'] for f in selftest['families'])} cases, {selftest['wrong']} wrong"),
             ("hash", data["hash"])]
    return ("<div class=\"table\"><table class=\"facts\">"
            + "".join(f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in pairs) + "</table></div>")


def rate_of(row):
    for name, unit in (("flops", "GF/s"), ("bytes", "GB/s")):
        if row.get(name):
            return f"{1e-9 * row[name] / row['median']:.4g} {unit}"
    return ""


def row_cells(row):
    if "median" not in row:
        why = f"not measured: {row['lacking']}" if "lacking" in row else f"failed: {row['failed']}"
        return f'<td colspan="7">{escape(why)}</td>'
    low, high = row["quartiles"]
    share, difference, drift = row["fraction_of_limit"], row["difference"], row["drift"]
    numbers = [f"{1e3 * row['median']:.4g}", f"{1e3 * low:.4g}–{1e3 * high:.4g}", rate_of(row),
               "" if share is None else f"{100 * share:.0f} %", f"{row['launches']:.0f}",
               "" if difference is None else f"{difference:.0e}",
               f"{100 * drift:+.0f} %" if abs(drift) > 0.05 else ""]
    return "".join(f'<td class="number">{n}</td>' for n in numbers)


def read_predicted(path):
    """Milliseconds by device and row, as text; "≥": bounds."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    return {(device, row): ("≥ " if int(bound) else "") + ms for _, device, row, ms, _, bound in lines}


def rows_table(r, predicted):
    heads = ["row", "median, ms", "quartiles", "rate", "of limit", "launches", "error", "drift"]
    own = {row: text for (device, row), text in predicted.items() if device == r.device["name"]}
    heads += ["predicted, ms"] if own else []
    lines = ['<div class="table wide"><table><thead><tr>' + "".join(f"<th>{h}</th>" for h in heads)
             + "</tr></thead><tbody>"]
    group = None
    for row in r.data["rows"]:
        if row["group"] != group:
            group = row["group"]
            lines.append(f'<tr><th colspan="{len(heads)}">{escape(group)}</th></tr>')
        last = f'<td class="number">{escape(own.get(row["key"], ""))}</td>' if own else ""
        lines.append(f"<tr><td>{escape(row['name'])}</td>{row_cells(row)}{last}</tr>")
    return "\n".join(lines) + "</tbody></table></div>"


def device(results, predicted):
    """All of one device, the newest first."""
    parts = [f"# {results[0].device['name'].translate(str.maketrans(dict.fromkeys('*_`<[]#', ' ')))}\n",
             "[All devices](../index.html)\n"]
    for r in results:
        parts += [f"\n## {slug(r.data['date'])}, driver {slug(r.device['driver'])}\n", block(facts(r)), block(bars(r)),
                  block(rows_table(r, predicted))]
    return "\n".join(parts)


def main():
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    predicted = read_predicted(Path(sys.argv[3])) if len(sys.argv) > 3 else {}
    results = sorted((Result(p) for p in source.glob("*/*.json")), key=Result.order, reverse=True)
    out.mkdir(parents=True, exist_ok=True)
    introduction = (source / "README.md").read_text(encoding="utf-8")
    (out / "index.md").write_text(index(results, introduction), encoding="utf-8")
    devices = {}
    for result in results:
        devices.setdefault(device_page(result), []).append(result)
    for page, own in devices.items():
        path = out / (page.removesuffix(".html") + ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(device(own, predicted), encoding="utf-8")


if __name__ == "__main__":
    main()
