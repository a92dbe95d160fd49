# SPDX-License-Identifier: Apache-2.0
"""The picture of bench/work_precision: errors against evaluations, both logarithmic, a panel for
each of some problems."""
import math

PANELS = ["A3", "B1", "C3", "D3", "E2"]
CURVES = [("dopri5", "#c22", False), ("RK45", "#c22", True), ("dop853", "#25c", False),
          ("DOP853", "#25c", True), ("CVODE Adams", "#281", True), ("CVODE BDF", "#b70", True),
          ("Radau", "#737", True), ("BDF", "#777", True)]
NFE = (1.7, 4.2)  # powers of ten
ERROR = (-12, 0)
SIDE, GAP, LEFT, TOP = 168, 14, 62, 40


def power(exponent):
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return "1" if exponent == 0 else f"10{raised}"


class Panel:
    """A square with axes at `left`."""

    def __init__(self, draw, left):
        self.draw, self.left = draw, left

    def x(self, exponent):
        return self.left + SIDE * (exponent - NFE[0]) / (NFE[1] - NFE[0])

    @staticmethod
    def y(exponent):
        return TOP + SIDE * (ERROR[1] - exponent) / (ERROR[1] - ERROR[0])

    def text(self, x, y, text, anchor="middle"):
        self.draw.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>')

    def line(self, x1, y1, x2, y2, colour):
        self.draw.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}"/>')

    def axes(self, name, numbered):
        bottom, right = TOP + SIDE, self.left + SIDE
        for e in range(math.ceil(NFE[0]), math.floor(NFE[1]) + 1):
            self.line(self.x(e), TOP, self.x(e), bottom + 4, "#ddd")
            self.line(self.x(e), bottom, self.x(e), bottom + 4, "#555")
            self.text(self.x(e), bottom + 17, f"{10**e:,}")
        for e in range(ERROR[0], ERROR[1] + 1, 3):
            self.line(self.left - 4, self.y(e), right, self.y(e), "#ddd")
            self.line(self.left - 4, self.y(e), self.left, self.y(e), "#555")
            if numbered:
                self.text(self.left - 7, self.y(e) + 4, power(e), "end")
        self.draw.append(f'<rect x="{self.left}" y="{TOP}" width="{SIDE}" height="{SIDE}" '
                         'fill="none" stroke="#555"/>')
        self.text(self.left + SIDE / 2, TOP - 8, name)

    def curve(self, rows, colour, dashed):
        """What is outside of the panel is at its edge."""
        points = []
        for nfe, error in sorted(rows):
            e = min(max(math.log10(max(error, 1e-300)), ERROR[0]), ERROR[1])
            n = min(max(math.log10(nfe), NFE[0]), NFE[1])
            points.append(f"{self.x(n):.1f},{self.y(e):.1f}")
        dash = ' stroke-dasharray="4 3"' if dashed else ' stroke-width="1.8"'
        self.draw.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}"{dash}/>')


def legend(draw, y):
    x = LEFT
    for name, colour, dashed in CURVES:
        dash = ' stroke-dasharray="4 3"' if dashed else ' stroke-width="1.8"'
        draw.append(f'<path d="M{x} {y - 4}h24" stroke="{colour}"{dash}/>'
                    f'<text x="{x + 29}" y="{y}">{name}</text>')
        x += 48 + 7 * len(name)


def write_picture(mine, theirs, path):
    width = LEFT + len(PANELS) * (SIDE + GAP)
    height = TOP + SIDE + 72
    draw = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            'font-size="11" font-family="sans-serif" fill="#222">'
            f'<rect width="{width}" height="{height}" fill="white"/>']
    for i, name in enumerate(PANELS):
        panel = Panel(draw, LEFT + i * (SIDE + GAP))
        panel.axes(name, i == 0)
        for method, colour, dashed in CURVES:
            rows = mine.get((name, method)) or theirs[name, method]
            panel.curve(rows, colour, dashed)
    middle = TOP + SIDE / 2
    draw.append(f'<text x="14" y="{middle}" text-anchor="middle" '
                f'transform="rotate(-90 14 {middle})">error at t = 20</text>')
    draw.append(f'<text x="{width / 2}" y="{TOP + SIDE + 36}" text-anchor="middle">evaluations of f'
                "</text>")
    legend(draw, height - 12)
    draw.append("</svg>")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(draw) + "\n")
