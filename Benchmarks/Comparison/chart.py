"""chart.svg: lives per second over lives in flight. Reads JSON from standard input; runs as a program of its own, since
matplotlib comes as a Debian package, for Debian's Python."""

import json
import math
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "jobboard", "font.family": "sans-serif", "font.size": 11,
})

from matplotlib import pyplot  # noqa: E402: after the choice of what it draws with
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: E402

# Between black and white, to be read on both.
INK = "#7d8590"
OURS = "#e5534b"
PEERS = ("#3f8fd2", "#2da160", "#b8860b", "#9a6ee0", "#db6d28", "#d0679d", "#1b9aaa", "#8a9a2b", "#a0724a")
# The least distance of two names, as a share of the axis.
GAP = 0.052


def spread_names(heights):
    """Moves heights, from 0 to 1, apart so that names beside them can be read; keeps their order. Names that are too near
    to each other form a heap around the middle of where they belong."""
    heaps = []
    for place in sorted(range(len(heights)), key=lambda place: heights[place]):
        heap = [place]
        while heaps and bottom(heap, heights) < bottom(heaps[-1], heights) + GAP * len(heaps[-1]):
            heap = heaps.pop() + heap
        heaps.append(heap)
    moved = list(heights)
    for heap in heaps:
        for number, place in enumerate(heap):
            moved[place] = bottom(heap, heights) + GAP * number
    return moved


def bottom(heap, heights):
    return sum(heights[place] for place in heap) / len(heap) - GAP * (len(heap) - 1) / 2


def draw(chart, path):
    levels, series = chart["levels"], chart["series"]
    figure, axes = pyplot.subplots(figsize=(8.6, 5.2))
    figure.patch.set_alpha(0)
    axes.set_facecolor("none")
    axes.set_yscale("log")
    places = list(range(len(levels)))
    colours = iter(PEERS * 2)
    styles = []
    for one in series:
        if one["kind"] == "us":
            style = {"color": OURS, "linewidth": 3, "zorder": 3}
        elif one["kind"] == "limit":
            style = {"color": INK, "linewidth": 1.6, "linestyle": (0, (4, 3))}
        else:
            style = {"color": next(colours), "linewidth": 1.6}
        styles.append(style)
        points = [(place, value) for place, value in zip(places, one["medians"]) if value]
        axes.plot(*zip(*points), marker="o", markersize=4, **style)
        ranges = [(place, *both) for place, both in zip(places, one["ranges"]) if both]
        if ranges:
            axes.vlines(*zip(*ranges), color=style["color"], linewidth=5, alpha=0.3)
    low, high = (math.log10(limit) for limit in axes.get_ylim())
    last = [next(value for value in reversed(one["medians"]) if value) for one in series]
    heights = spread_names([(math.log10(value) - low) / (high - low) for value in last])
    for one, style, value, height in zip(series, styles, last, heights):
        axes.annotate(
            f"{one['title']}  {value:,.0f}", xy=(1.015, height), xycoords="axes fraction", color=style["color"], va="center",
            fontweight="bold" if one["kind"] == "us" else "normal", annotation_clip=False)
    axes.set_xticks(places, [str(level) for level in levels])
    decades = [10**power for power in range(math.floor(low), math.ceil(high) + 1)]
    axes.yaxis.set_major_locator(FixedLocator([one for one in decades if low <= math.log10(one) <= high]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("lives in flight", color=INK)
    axes.set_title("Job lives per second: post, claim, consume, each acknowledged", color=INK, loc="left", fontsize=12)
    axes.tick_params(colors=INK, length=3)
    axes.grid(axis="y", color=INK, alpha=0.3, linewidth=0.7)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(INK)
    figure.subplots_adjust(left=0.09, right=0.66, top=0.92, bottom=0.1)
    figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None, "Title": "Job lives per second"})


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
