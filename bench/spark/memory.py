"""Memory: what a query holds while its sink is paused and gigabytes wait. Native memory must stay within the budget and a tenth."""

import threading
import time

BUDGET = 256 << 20
SIZE = 10_000


def resident(pid):
    """MB of a process that are in memory."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def measure(session, gigabytes=5):
    name, paused, go_on = session.fresh(), threading.Event(), threading.Event()
    session.subscribe(name)
    session.settle()

    def hold(batch, number):
        batch.selectExpr("sum(length(data))").collect()
        paused.set()
        go_on.wait(300)

    count = gigabytes * 1_000_000_000 // SIZE
    source = session.spark.readStream.format("pubsub").options(**session.connection()).option("subscriptionId", name + "-sub")
    frame = source.option("maxReservoirBytes", BUDGET).load().select("data")
    checkpoint = str(session.world.work / session.fresh())
    before = resident(session.pid)
    query = frame.writeStream.foreachBatch(hold).option("checkpointLocation", checkpoint).start()
    try:
        session.world.run("publish", name + "-topic", "--count", count, "--size", SIZE)
        paused.wait(60)
        time.sleep(5)
        held = resident(session.pid)
        go_on.set()
        while not query.lastProgress or not query.lastProgress["numInputRows"]:
            time.sleep(0.05)
        peak = int(query.lastProgress["sources"][0]["metrics"]["reservoirPeakBytes"])
    finally:
        go_on.set()
        query.stop()
        session.world.run("subscription", "delete", name + "-sub")
    result = {
        "what": "memory",
        "waiting_mb": gigabytes * 1000,
        "budget_mb": BUDGET >> 20,
        "reservoir_peak_mb": round(peak / (1 << 20), 1),
        "resident_before_mb": round(before),
        "resident_paused_mb": round(held),
        "within_budget": peak <= BUDGET * 1.1,
    }
    session.results.append(result)
    session.world.say(
        f"memory: {result['waiting_mb']} MB wait, the reservoir's peak is {result['reservoir_peak_mb']} MB of a budget of "
        f"{result['budget_mb']} MB; Spark's process {result['resident_before_mb']} -> {result['resident_paused_mb']} MB"
    )
