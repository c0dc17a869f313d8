"""results.md."""

OPERATIONS = ("post", "claim", "consume")

MEASURED = """\
A job's life is three writes, each acknowledged before the next is sent: a post with 184 bytes of details, a claim by one
owner, and a consume. IN FLIGHT is how many such lives are under way at a time. All nodes of a system and its load program
share one machine and one disk, over loopback, so clusters on machines of their own are faster. Each system in turn is
started anew, measured at each level after a time of warming up, and ended; then the next round begins. Figures are medians
over the rounds; what stands in parentheses is the lowest and highest.
"""

BYTES = """\
Of all nodes together, for each life of the run, with the same means for every system:

- **in files**: by how much the contents of the files in the data folders grew. Zeros at the end of a file, put there
  beforehand, don't count; files that were removed or replaced meanwhile do. What is overwritten in place does not.
- **on the device**: what the disk was sent until all of it was synced, with the file system's journal and whatever else the
  machine wrote meanwhile. Disks write pages of 4 KiB: ten small synced appends to one page are ten pages. Files that are
  removed before they are synced are spared most of it.
- **du**: by how much the space of the data folders grew, with files prepared for later and without removed ones.
"""


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2f}"


def times(value):
    if value is None:
        return "–"
    return f"{value:,.0f}×" if value >= 100 else f"{value:.1f}×" if value >= 1 else f"{value:.2f}×"


def share(value):
    return "–" if value is None else f"{value * 100:,.0f} %" if value >= 0.1 else f"{value * 100:.1f} %"


def spread(found):
    """A median, and the range where there was more than one round."""
    if not found:
        return "–"
    return f"**{number(found.median)}**" + (f" ({number(found.lowest)}–{number(found.highest)})" if found.count > 1 else "")


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "|".join(["---"] + ["---:"] * (len(heads) - 1)) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


class Document:
    """Written from a summary and what is known of the systems."""

    def __init__(self, summary, systems, levels, machine, options, disturbance):
        self.summary = summary
        self.systems = systems
        self.levels = levels
        self.machine = machine
        self.options = options
        self.disturbance = disturbance
        self.us = systems[0]

    def text(self):
        parts = [
            "# Comparison\n", self.about(), MEASURED, "![lives per second](chart.svg)\n", "## Lives per second\n",
            self.overview(), "## We against each\n", self.against(), *(self.level(level) for level in self.levels),
            "## Bytes on the disks\n", BYTES, self.bytes(), "## What an acknowledgement is worth\n", self.promises(),
        ]
        for head, lines in (("Failed runs", self.failures()), ("Runs that stood still", self.stalls())):
            if lines:
                parts += [f"## {head}\n", "\n".join(f"- {line}" for line in lines) + "\n"]
        return "\n".join(parts)

    def about(self):
        machine, options = self.machine, self.options
        text = (
            f"{options['began']}, on {machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, "
            f"{machine['file_system']}, {machine['system']}, Linux {machine['kernel']}; fdatasync p50 "
            f"{machine['sync_p50_us']} µs. {options['rounds']} round{'s' if options['rounds'] > 1 else ''}, {options['seconds']:g} s each after "
            f"{options['warm_up']:g} s of warming up. Repeat it with `Benchmarks/compare`.\n")
        return text + (f"\n**{self.disturbance[0].upper()}{self.disturbance[1:]}.**\n" if self.disturbance else "")

    def title(self, system):
        version = self.options["versions"].get(system.name)
        return f"{system.title} ({version})" if version else system.title

    def overview(self):
        heads = ["in flight", *map(str, self.levels)]
        rows = [
            [self.title(system), *(spread(self.summary.spread(system.name, level)) for level in self.levels)]
            for system in self.systems]
        return table(heads, rows)

    def against(self):
        """Our median divided by each other's."""
        rows = [
            [self.title(system), *(times(self.summary.ratio(self.us.name, system.name, level)) for level in self.levels)]
            for system in self.systems[1:]]
        return table(["in flight", *map(str, self.levels)], rows) + "\nOur lives per second divided by theirs.\n"

    def level(self, level):
        heads = ["", "lives/s", "of ours", "times etcd's", "of the limit"] + [f"{one} p50 / p99, µs" for one in OPERATIONS]
        rows = []
        for system in self.systems:
            row = [self.title(system), spread(self.summary.spread(system.name, level))]
            to_us, to_etcd, to_limit = (
                self.summary.ratio(system.name, other, level) for other in (self.us.name, "etcd", "limit"))
            row += [share(to_us), times(to_etcd), share(to_limit)]
            for operation in OPERATIONS:
                both = [self.summary.median(system.name, level, f"{operation}_{one}_us") for one in ("p50", "p99")]
                row.append("–" if None in both else " / ".join(map(number, both)))
            rows.append(row)
        return f"## {level} in flight\n\n" + table(heads, rows)

    def bytes(self):
        kinds = [("in files", "file_bytes_per_life"), ("on the device", "device_bytes_per_life"), ("du", "du_bytes_per_life")]
        rows = []
        for system in self.systems:
            cells = [
                " / ".join(number(self.summary.median(system.name, level, figure)) for level in self.levels)
                for _, figure in kinds]
            if any(cell.strip("– /") for cell in cells):
                rows.append([self.title(system), *cells])
        heads = ["bytes per life at " + " / ".join(map(str, self.levels)), *(name for name, _ in kinds)]
        own = [number(self.summary.median(self.us.name, level, "log_bytes_per_life")) for level in self.levels]
        return table(heads, rows) + f"\nOf ours, the log's blocks as counted by the nodes: {' / '.join(own)}.\n"

    def promises(self):
        rows = [[self.title(one), str(one.nodes), one.synced, one.note] for one in self.systems]
        return table(["", "nodes", "on disk before it is acknowledged", "also"], rows)

    def failures(self):
        return [f"{place(run)}: {run['error']}" for run in self.summary.failed]

    def stalls(self):
        """Figures with such a run among them say little, unless it is one of several."""
        return [
            f"{place(run)}: nothing was acknowledged for {run['longest_gap_ms'] / 1000:.1f} s" for run in self.summary.good
            if run.get("longest_gap_ms", 0) >= 1000]


def place(run):
    return f"{run['system']}, round {run['round']}" + (f", {run['level']} in flight" if "level" in run else "")
