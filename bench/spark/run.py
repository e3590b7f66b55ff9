"""Spark read and write, local[2], emulator on the same cores, beside Spark's own Kafka source and sink (tuned) in the same run.

    run.py [--payloads 100,1000,10000,100000,1000000] [--megabytes 2000] [--runs 3] [--no-kafka] [--only read,write,…]

CPU is that of the Spark process, client library included. A table, then one line of JSON, also in build/results/spark.json.
"""

import argparse
import json
import sys

import latency
import memory
import reading
import typed
import writing
from session import ROOT, Session
from world import World

PARTS = ("read", "write", "slots", "backlog", "tls", "latency", "memory")


def table(results):
    print("\n| | payload | side | rows/s | MB/s | CPU us/row | CPU s/GB |\n|---|---:|---|---:|---:|---:|---:|")
    for r in results:
        if "rows_per_s" in r:
            detail = r.get("shape") or r.get("sink") or r.get("slots") or r.get("transport") or r.get("backlog") or ""
            print(
                f"| {r['what']} {detail} | {r['payload']} | {r['side']} | {r['rows_per_s']} | {r['mb_per_s']} "
                f"| {r['cpu_us_per_row']} | {r['cpu_s_per_gb']} |"
            )


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payloads", default="100,1000,10000,100000,1000000")
    parser.add_argument("--megabytes", type=int, default=2000, help="of a run, at most; less of small payloads")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--warmups", type=int, default=3, help="runs before, for the JVM to compile")
    parser.add_argument("--sinks", default="touch,length,parquet", help="at 1 KB; at other payloads the first")
    parser.add_argument("--only", default=",".join(PARTS), help="typed is measured only where it is named")
    parser.add_argument("--no-kafka", action="store_true")
    parser.add_argument("--conf", action="append", default=[], help="of Spark, key=value")
    parser.add_argument("--option", action="append", default=[], help="of the source and the sink, key=value")
    options = parser.parse_args()
    options.only = options.only.split(",")
    unknown = set(options.only) - {*PARTS, "typed"}
    if unknown:
        parser.error(f"--only knows {', '.join(PARTS)}; not {', '.join(unknown)}")
    return options


def measure(session, options):
    for payload in map(int, options.payloads.split(",")):
        megabytes = min(options.megabytes, payload * 10)  # small rows are many
        count = max(2000, megabytes * 1_000_000 // payload)
        if "read" in options.only:
            sinks = options.sinks.split(",")
            reading.beside_kafka(session, payload, count, sinks if payload == 1000 else sinks[:1])
        if "write" in options.only:
            writing.beside_kafka(session, payload, count // 2)
    for name, part in (("slots", reading.slots), ("backlog", reading.backlog), ("tls", reading.tls)):
        if name in options.only:
            part(session)
    if "typed" in options.only:
        typed.measure(session)
    if "latency" in options.only:
        latency.measure(session)
    if "memory" in options.only:
        memory.measure(session)


def main():
    options = parse()
    if "slots" in options.only:
        options.conf += ["spark.default.parallelism=32"]
        options.option = [*options.option, "numPartitions=2"]
    with World("bench-spark") as world:
        session = Session(world, options)
        try:
            measure(session, options)
        finally:
            session.close()
        table(session.results)
        results = ROOT / "build/results"
        results.mkdir(parents=True, exist_ok=True)
        (results / "spark.json").write_text(json.dumps(session.results, indent=1) + "\n")
        print(json.dumps(session.results), flush=True)


if __name__ == "__main__":
    sys.exit(main())
