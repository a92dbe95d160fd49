# SPDX-License-Identifier: Apache-2.0
"""Pictures of curves over two logarithmic axes, a panel beside another, as SVG."""
import math

SIDE, GAP, LEFT, TOP = 168, 14, 62, 40


def power(exponent):
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return "1" if exponent == 0 else f"10{raised}"


class Axis:
    """Powers of ten from `first` to `last`, with a line and a number each `every`."""

    def __init__(self, title, first, last, every=1):
        self.title, self.first, self.last, self.every = title, first, last, every

    def ticks(self):
        return range(math.ceil(self.first), math.floor(self.last) + 1, self.every)

    def place(self, value):
        """0 to 1; what is outside of the axis is at its end."""
        exponent = math.log10(max(value, 1e-300))
        exponent = min(max(exponent, self.first), self.last)
        return (exponent - self.first) / (self.last - self.first)


class Panel:
    """A square with axes at `left`."""

    def __init__(self, draw, left, axes):
        self.draw, self.left, self.axes = draw, left, axes

    def x(self, value):
        return self.left + SIDE * self.axes[0].place(value)

    def y(self, value):
        return TOP + SIDE * (1 - self.axes[1].place(value))

    def text(self, x, y, text, anchor="middle"):
        self.draw.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>')

    def line(self, x1, y1, x2, y2, colour):
        self.draw.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}"/>')

    def frame(self, name, numbered):
        """Axes; numbers of the second one where `numbered`."""
        bottom, right = TOP + SIDE, self.left + SIDE
        for e in self.axes[0].ticks():
            x = self.x(10**e)
            self.line(x, TOP, x, bottom + 4, "#ddd")
            self.line(x, bottom, x, bottom + 4, "#555")
            self.text(x, bottom + 17, f"{10**e:,}")
        for e in self.axes[1].ticks():
            y = self.y(10.0**e)
            self.line(self.left - 4, y, right, y, "#ddd")
            self.line(self.left - 4, y, self.left, y, "#555")
            if numbered:
                self.text(self.left - 7, y + 4, power(e), "end")
        self.draw.append(f'<rect x="{self.left}" y="{TOP}" width="{SIDE}" height="{SIDE}" '
                         'fill="none" stroke="#555"/>')
        self.text(self.left + SIDE / 2, TOP - 8, name)

    def curve(self, points, style):
        places = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in sorted(points))
        self.draw.append(f'<polyline points="{places}" fill="none" {style}/>')


def stroke(colour, dashed):
    return f'stroke="{colour}" ' + ('stroke-dasharray="4 3"' if dashed else 'stroke-width="1.8"')


def legend(draw, width, y, curves):
    """As many lines as it takes; returns where the last one is."""
    x = LEFT
    for name, colour, dashed in curves:
        size = 48 + 7 * len(name)
        if x + size > width:
            x, y = LEFT, y + 18
        draw.append(f'<path d="M{x} {y - 4}h24" {stroke(colour, dashed)}/>'
                    f'<text x="{x + 29}" y="{y}">{name}</text>')
        x += size
    return y


def write_picture(path, panels, curves):
    """Each of `panels` is a name, its two axes, and a list of points for each of `curves`, which
    are (name, colour, dashed). Neighbours with the same second axis share its numbers."""
    draw, right, before = [], 0, None
    for name, axes, rows in panels:
        numbered = axes[1] is not before
        before = axes[1]
        left = right + (LEFT if numbered else GAP)
        right = left + SIDE
        panel = Panel(draw, left, axes)
        panel.frame(name, numbered)
        for (_, colour, dashed), points in zip(curves, rows):
            panel.curve(points, stroke(colour, dashed))
        if numbered:
            x, y = left - LEFT + 14, TOP + SIDE / 2
            draw.append(f'<text x="{x}" y="{y}" text-anchor="middle" '
                        f'transform="rotate(-90 {x} {y})">{axes[1].title}</text>')
    width = right + 2 * GAP
    draw.append(f'<text x="{width / 2}" y="{TOP + SIDE + 36}" text-anchor="middle">'
                f"{panels[0][1][0].title}</text>")
    height = legend(draw, width, TOP + SIDE + 60, curves) + 12
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            'font-size="11" font-family="sans-serif" fill="#222">'
            f'<rect width="{width}" height="{height}" fill="white"/>')
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join([head, *draw, "</svg>"]) + "\n")
