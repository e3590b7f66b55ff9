#!/usr/bin/env python3
"""docs/performance.md and its pictures, from the JSON of run.py.

    report.py [build/results/bench.json]

Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->`; the text around it is written by hand.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs/performance.md"
PICTURES = ROOT / "docs/images"
COLOURS = {"pubsub": "#1a73e8", "kafka": "#9aa0a6", "ours": "#1a73e8", "tls": "#7baaf7", "go": "#9aa0a6", "java": "#d0d3d6"}
NAMES = {"ours": "ours", "tls": "ours, TLS", "go": "Google's Go client", "java": "Google's Java client", "pubsub": "ours", "kafka": "Spark's Kafka"}


def size(payload):
    payload = int(payload)
    return f"{payload} B" if payload < 1000 else f"{payload // 1000} KB" if payload < 1_000_000 else f"{payload // 1_000_000} MB"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(header, rows, text_columns=1):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * text_columns + "---:|" * (len(header) - text_columns)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def core(results):
    figures = {"ours": results["core"], "tls": results["core"]["tls"], **results["core"]["peers"]}
    rows = []
    for what in ("receive", "publish"):
        for payload, ours in figures["ours"][what].items():
            cells = [number(figures[side][what][payload]["cpu_us_per_message"]) for side in figures]
            rows.append([what, size(payload), *cells, number(ours["messages_per_s"]), number(ours["mb_per_s"])])
    return table(["CPU µs a message", "payload", *(NAMES[side] for side in figures), "messages/s", "MB/s"], rows, 2)


def handover(results):
    values = results["handover"]
    return table(["columns", "µs a chunk"], [["all six", values["all_columns_us"]], ["`data` alone", values["one_column_us"]]])


def of(results, what, **match):
    return [r for r in results["spark"] if r["what"] == what and all(r.get(k) == v for k, v in match.items())]


def beside(results, what, label, **match):
    """Ours and Kafka's in a row, with the ratio of their CPU."""
    rows = []
    for ours in of(results, what, side="pubsub", **match):
        kafka = of(results, what, side="kafka", payload=ours["payload"], **match)
        other = kafka[0] if kafka else None
        rows.append(
            [
                label,
                size(ours["payload"]),
                number(ours["rows_per_s"]),
                number(ours["mb_per_s"]),
                number(ours["cpu_us_per_row"]),
                number(ours["cpu_s_per_gb"]),
                *([number(other["mb_per_s"]), number(other["cpu_us_per_row"])] if other else ["", ""]),
                f"{ours['cpu_us_per_row'] / other['cpu_us_per_row']:.2f}" if other else "",
            ]
        )
    return rows


BESIDE = ["", "payload", "rows/s", "MB/s", "CPU µs a row", "CPU s a GB", "Kafka: MB/s", "Kafka: CPU µs a row", "CPU ratio"]
LABELS = {"touch": "every byte read", "length": "`length(data)`", "parquet": "Parquet"}


def read(results):
    rows = [row for sink, label in LABELS.items() for row in beside(results, "read", label, sink=sink)]
    return table(BESIDE, rows, 2)


def write(results):
    rows = beside(results, "write", "write")
    for row, made in zip(rows, of(results, "write", side="generate")):
        row.append(number(made["cpu_us_per_row"]))
    return table([*BESIDE, "of which making the rows"], rows, 2)


def one_by_one(results, what, title):
    rows = [
        [f"{r[what]:,}" if isinstance(r[what], int) else r[what], size(r["payload"]), number(r["rows_per_s"]), number(r["mb_per_s"]), number(r["cpu_us_per_row"])]
        for r in of(results, what)
    ]
    return table([title, "payload", "rows/s", "MB/s", "CPU µs a row"], rows, 2)


def latency(results):
    rows = [[NAMES[r["side"]], r["p50_ms"], r["p99_ms"], r["cpu_s_per_s"]] for r in of(results, "latency")]
    return table(["", "p50 ms", "p99 ms", "CPU s a second"], rows)


def memory(results):
    rows = [
        [f"{r['waiting_mb']:,} MB", r["budget_mb"], r["reservoir_peak_mb"], r["resident_before_mb"], r["resident_paused_mb"]]
        for r in of(results, "memory")
    ]
    return table(["waiting", "budget MB", "reservoir's peak MB", "process before MB", "process with the sink paused MB"], rows)


def picture(path, title, unit, groups, series):
    """Bars side by side, on a logarithmic axis. series: {name: {group: value}}."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "performance"  # the same picture from the same figures
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3))
    width = 0.8 / len(series)
    for i, (name, values) in enumerate(series.items()):
        places = [g + (i - (len(series) - 1) / 2) * width for g, group in enumerate(groups) if group in values]
        axes.bar(places, [values[g] for g in groups if g in values], width, label=NAMES[name], color=COLOURS[name])
    axes.set_yscale("log")
    axes.set_xticks(range(len(groups)), [size(group) for group in groups])
    axes.set_ylabel(unit)
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def pictures(results):
    PICTURES.mkdir(exist_ok=True)
    figures = {"ours": results["core"], "tls": results["core"]["tls"], **results["core"]["peers"]}
    for what in ("receive", "publish"):
        series = {side: {int(p): v["cpu_us_per_message"] for p, v in f[what].items()} for side, f in figures.items()}
        picture(PICTURES / f"core-{what}.svg", f"C client: {what}", "CPU µs a message", sorted(series["ours"]), series)
    for what, match in (("read", {"sink": "touch"}), ("write", {})):
        series = {
            side: {r["payload"]: r["cpu_s_per_gb"] for r in of(results, what, side=side, **match)} for side in ("pubsub", "kafka")
        }
        picture(PICTURES / f"spark-{what}.svg", f"Spark: {what}", "CPU s a GB", sorted(series["pubsub"]), series)


def main():
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/results/bench.json")
    results = json.loads(source.read_text())
    parts = {
        "machine": f"{results['machine']}; {results['date']}; {results['minutes']} minutes.",
        "core": core(results),
        "handover": handover(results),
        "read": read(results),
        "write": write(results),
        "slots": one_by_one(results, "slots", "slots"),
        "backlog": one_by_one(results, "backlog", "messages that wait"),
        "transport": one_by_one(results, "transport", "transport"),
        "latency": latency(results),
        "memory": memory(results),
    }
    text = DOCUMENT.read_text()
    for name, body in parts.items():
        text, found = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: f"{m.group(1)}{body}\n{m.group(2)}", text, flags=re.DOTALL
        )
        if found != 1:
            sys.exit(f"{DOCUMENT.name} has {found} places for {name}")
    DOCUMENT.write_text(text)
    pictures(results)
    print(f"wrote {DOCUMENT.relative_to(ROOT)} and {PICTURES.relative_to(ROOT)}/*.svg")


if __name__ == "__main__":
    main()
