"""`spark-submit --packages … --repositories file:dist/maven` on a Spark without our jar: one artifact comes, and reads rows."""

import re

from dist_environment import bare_environment, run

JOB = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
to = {"projectId": "p", "topicId": "orders"}
spark.range(50).selectExpr("cast(id AS string) AS data").write.format("pubsub").options(**to).mode("append").save()
source = {"projectId": "p", "subscriptionId": "orders-spark"}
rows = spark.readStream.format("pubsub").options(**source).load()
rows.writeStream.format("memory").queryName("rows").trigger(availableNow=True).start().awaitTermination()
print("rows:", spark.sql("select count(*) from rows").first()[0])
"""


def test_packages_brings_one_artifact_that_reads_rows(dist, jar, python, tmp_path):
    import pyspark

    (tmp_path / "job.py").write_text(JOB)
    version = jar.parent.name
    program = f"""
import os, subprocess, sys, pubsub_emulator
with pubsub_emulator.Emulator(subscriptions={{"projects/p/subscriptions/orders-spark": "projects/p/topics/orders"}}) as emulator:
    sys.exit(subprocess.run([*sys.argv[1:], "job.py"], env=os.environ | emulator.environment()).returncode)
"""
    submit = f"{pyspark.__path__[0]}/bin/spark-submit"
    said = run(
        *[python, "-c", program, submit, "--master", "local[2]", "--packages", f"io.sparkpubsub:spark-pubsub:{version}"],
        *["--repositories", f"file:{dist}/maven", "--conf", f"spark.jars.ivy={tmp_path}/ivy"],
        cwd=tmp_path,
        env=bare_environment(PYSPARK_PYTHON=str(python)),
    )
    assert "rows: 50" in said
    assert [path.name for path in (tmp_path / "ivy/jars").iterdir()] == [f"io.sparkpubsub_spark-pubsub-{version}.jar"]
    assert re.search(r"\|\s*default\s*\|\s*1\s*\|", said), said
