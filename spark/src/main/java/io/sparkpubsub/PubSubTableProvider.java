package io.sparkpubsub;

import io.sparkpubsub.service.Secrets;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableProvider;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.sources.DataSourceRegister;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** format("pubsub"): streaming reads of a subscription, batch and streaming writes to a topic. */
public class PubSubTableProvider implements TableProvider, DataSourceRegister {
  @Override
  public String shortName() {
    return "pubsub";
  }

  @Override
  public StructType inferSchema(CaseInsensitiveStringMap options) {
    return PubSubSchema.FULL;
  }

  @Override
  public Table getTable(
      StructType schema, Transform[] partitioning, Map<String, String> properties) {
    SparkSession session = SparkSession.active();
    Secrets.hide(session);
    Map<String, String> conf = new HashMap<>();
    for (Map.Entry<String, String> entry : confOf(session).entrySet()) {
      if (PubSubOptions.isSetting(entry.getKey())) {
        conf.put(entry.getKey(), entry.getValue());
      }
    }
    Map<String, String> given = new HashMap<>(properties);
    return table(PubSubOptions.of(given, conf, System.getenv()));
  }

  Table table(PubSubOptions options) {
    return new PubSubTable(options, PubSubSchema.FULL);
  }

  private static Map<String, String> confOf(SparkSession session) {
    Map<String, String> conf = new HashMap<>();
    for (scala.Tuple2<String, String> entry : session.sparkContext().getConf().getAll()) {
      conf.put(entry._1(), entry._2());
    }
    scala.collection.Iterator<scala.Tuple2<String, String>> settings =
        session.conf().getAll().iterator();
    while (settings.hasNext()) {
      scala.Tuple2<String, String> entry = settings.next();
      conf.put(entry._1(), entry._2());
    }
    return conf;
  }
}
