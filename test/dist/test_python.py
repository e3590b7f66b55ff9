"""The wheels, in a new environment and an empty folder."""

from dist_environment import bare_environment, run

QUICK_START = """
import os, pubsub_emulator, spark_pubsub
from pyspark.sql import SparkSession

with pubsub_emulator.Emulator(subscriptions={"projects/p/subscriptions/orders-spark": "projects/p/topics/orders"}) as emulator:
    os.environ.update(emulator.environment())
    spark = spark_pubsub.configure(SparkSession.builder.master("local[2]")).getOrCreate()
    frame = spark.range(100).selectExpr("cast(id AS string) AS data")
    frame.write.format("pubsub").option("projectId", "p").option("topicId", "orders").mode("append").save()
    rows = spark_pubsub.read_stream(spark, project="p", subscription="orders-spark")
    rows.writeStream.format("memory").queryName("rows").trigger(availableNow=True).start().awaitTermination()
    print("rows:", spark.sql("select count(distinct data) from rows").first()[0])
    spark.stop()
"""

PLUGIN_TEST = """
import os


def test_the_emulator_is_there(pubsub_emulator):
    assert os.environ["PUBSUB_EMULATOR_HOST"] == pubsub_emulator.host
"""


def test_ten_lines_in_an_empty_folder_read_rows(python, tmp_path):
    (tmp_path / "job.py").write_text(QUICK_START)
    assert "rows: 100" in run(python, "job.py", cwd=tmp_path, env=bare_environment())


def test_the_command_is_the_program(python, tmp_path):
    assert run(python.with_name("pubsub-emulator"), "--version", cwd=tmp_path, env=bare_environment()).startswith("pubsub-emulator ")
    assert run(python, "-m", "pubsub_emulator", "--version", cwd=tmp_path, env=bare_environment()).startswith("pubsub-emulator ")


def test_pytest_finds_the_fixture(python, tmp_path):
    (tmp_path / "test_it.py").write_text(PLUGIN_TEST)
    assert "1 passed" in run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path, env=bare_environment())


def test_jars_that_a_builder_has_stay(python):
    program = """
import spark_pubsub
from pyspark.sql import SparkSession
builder = spark_pubsub.configure(spark_pubsub.configure(SparkSession.builder.config("spark.jars", "a.jar,b.jar")))
print(builder._options["spark.jars"] == "a.jar,b.jar," + spark_pubsub.jar())
"""
    assert run(python, "-c", program, env=bare_environment()).strip().endswith("True")
