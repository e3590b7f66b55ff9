"""The delays between the attempts of a publish request, by the emulator's record, and the bands that they must lie in. Pure.

The client waits 100 ms before the first retry, twice as long before each further one, and adds up to a quarter of it at random; never
more than 60 s. The record has an attempt where it is refused, reset or cut on purpose. One that went down with another's connection
is missing, so a delay may look longer than it was, but not shorter: the least must be within its band, of the rest the median.
"""

import collections

FIRST_MS, LONGEST_MS, JITTER = 100, 60_000, 1.25
EARLY_MS = 2  # clocks count in whole milliseconds
SLACK_MS = 500  # the way there and back
FEW = 5  # of fewer, a median says nothing


def delays(events):
    """Of the fault events of requests, which `message_id` tells apart: {retry (from 1): [ms]}."""
    seen = collections.defaultdict(list)
    for event in events:
        seen[event.message_id].append(event.time_us)
    out = collections.defaultdict(list)
    for times in seen.values():
        for retry, (before, after) in enumerate(zip(times, times[1:]), 1):
            out[retry].append((after - before) / 1000)
    return out


def band(retry):
    """The least and the most that the client waits before this retry, in ms."""
    least = min(FIRST_MS * 2 ** (retry - 1), LONGEST_MS)
    return least, min(round(least * JITTER), LONGEST_MS)


def judge(events):
    """A row for each retry. `good`: none is early, none is over 60 s, and the median is not so late that it could be the next band's."""
    rows = []
    for retry, found in sorted(delays(events).items()):
        least, most = band(retry)
        median = sorted(found)[len(found) // 2]
        early, late = min(found) < least - EARLY_MS, max(found) > LONGEST_MS + SLACK_MS
        in_band = len(found) < FEW or median < (2 * least if most < LONGEST_MS else LONGEST_MS + SLACK_MS)
        rows.append(
            {
                "retry": retry, "band_ms": [least, most], "count": len(found), "min_ms": round(min(found)),
                "median_ms": round(median), "max_ms": round(max(found)), "good": in_band and not early and not late,
            }
        )
    return rows


def print_rows(rows):
    print("\n  retry  expected ms    count  min ms  median ms  max ms")
    for row in rows:
        expected = "{}-{}".format(*row["band_ms"])
        note = "" if row["good"] else "  NOT IN BAND"
        note = note or ("  few" if row["count"] < FEW else "")
        print(f"  {row['retry']:5d}  {expected:<13}  {row['count']:5d}  {row['min_ms']:6d}  {row['median_ms']:9d}  {row['max_ms']:6d}{note}")
