"""Memory, threads and descriptors of processes over time, and whether they are flat.

Spark's own pools for talking about blocks are not counted among the threads: they fill up to 100 each, whatever a query does.
"""

import os
import pathlib
import statistics
import time

# The last quarter's median may be above the second's by a factor and an amount: code that is compiled late, pools that fill.
TOLERANCES = {"rss_mb": (1.05, 32), "threads": (1.1, 12), "descriptors": (1.1, 24)}
SPARK_POOLS = "block-manager-"
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def threads(proc):
    count = 0
    for task in (proc / "task").iterdir():
        try:
            count += not (task / "comm").read_text().startswith(SPARK_POOLS)
        except OSError:
            pass  # it has ended
    return count


def vitals(pid):
    proc = pathlib.Path(f"/proc/{pid}")
    return {
        "rss_mb": int((proc / "statm").read_text().split()[1]) * PAGE_MB,
        "threads": threads(proc),
        "descriptors": len(os.listdir(proc / "fd")),
    }


class Watch:
    """Samples of named processes."""

    def __init__(self):
        self.samples = {}  # name → [(time, vitals)]

    def sample(self, processes):
        for name, pid in processes.items():
            self.samples.setdefault(name, []).append((time.monotonic(), vitals(pid)))

    def rows(self):
        """A dictionary for each process and figure, with `flat`: whether the last quarter of the time is like the second."""
        out = []
        for name, samples in self.samples.items():
            begin, end = samples[0][0], samples[-1][0]
            quarter = (end - begin) / 4
            for figure, (factor, amount) in TOLERANCES.items():
                values = [v[figure] for _, v in samples]
                second = [v[figure] for t, v in samples if begin + quarter <= t <= begin + 2 * quarter]
                last = [v[figure] for t, v in samples if t >= end - quarter]
                before, after = (statistics.median(part or values) for part in (second, last))
                out.append(
                    {
                        "process": name, "figure": figure, "first": round(values[0]), "second_quarter": round(before),
                        "last_quarter": round(after), "last": round(values[-1]), "peak": round(max(values)),
                        "flat": after <= before * factor + amount,
                    }
                )
        return out


def print_rows(rows):
    print("\n  process      figure       first  2nd quarter  last quarter   last   peak")
    for row in rows:
        print(
            "  {process:<11}  {figure:<11}  {first:5d}  {second_quarter:11d}  {last_quarter:12d}  {last:5d}  {peak:5d}".format(**row)
            + ("" if row["flat"] else "  GROWS")
        )
