package io.sparkpubsub;

import io.sparkpubsub.service.Secrets;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableProvider;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.sources.BaseRelation;
import org.apache.spark.sql.sources.CreatableRelationProvider;
import org.apache.spark.sql.sources.DataSourceRegister;
import org.apache.spark.sql.sources.RelationProvider;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * format("pubsub"): streaming and bounded reads of a subscription, batch and streaming writes to a
 * topic.
 *
 * <p>A batch write by format comes through {@link #createRelation(SQLContext, SaveMode,
 * scala.collection.immutable.Map, Dataset)}, the one door that knows the save mode: Spark refuses
 * every mode but append and overwrite of a table that it may write itself, in words that do not
 * help. The rows take the same way as all others, by {@link PubSubSinkProvider}.
 */
public class PubSubTableProvider
    implements TableProvider, DataSourceRegister, CreatableRelationProvider, RelationProvider {
  @Override
  public String shortName() {
    return "pubsub";
  }

  @Override
  public StructType inferSchema(CaseInsensitiveStringMap options) {
    return PubSubTable.columns(optionsOf(options.asCaseSensitiveMap()));
  }

  @Override
  public Table getTable(
      StructType schema, Transform[] partitioning, Map<String, String> properties) {
    return table(optionsOf(properties), schema);
  }

  /** {@code .schema(…)} on a reader names the fields of its payloads. */
  @Override
  public boolean supportsExternalMetadata() {
    return true;
  }

  /** These options with the session's settings and the environment below them. */
  static PubSubOptions optionsOf(Map<String, String> given) {
    SparkSession session = SparkSession.active();
    Secrets.hide(session);
    Map<String, String> conf = new HashMap<>();
    for (Map.Entry<String, String> entry : confOf(session).entrySet()) {
      if (PubSubOptions.isSetting(entry.getKey())) {
        conf.put(entry.getKey(), entry.getValue());
      }
    }
    return PubSubOptions.of(new HashMap<>(given), conf, System.getenv());
  }

  /**
   * @param schema what {@link #inferSchema} says, or what a reader's schema does; of a batch that
   *     is written, its columns
   */
  Table table(PubSubOptions options, StructType schema) {
    return PubSubTable.ofFormat(options, schema);
  }

  /** A batch write: mode append alone. */
  @Override
  public BaseRelation createRelation(
      SQLContext context,
      SaveMode mode,
      scala.collection.immutable.Map<String, String> options,
      Dataset<Row> rows) {
    if (mode != SaveMode.Append) {
      throw PubSubTable.onlyAppends();
    }
    Map<String, String> given = new HashMap<>();
    scala.collection.Iterator<scala.Tuple2<String, String>> each = options.iterator();
    while (each.hasNext()) {
      scala.Tuple2<String, String> entry = each.next();
      given.put(entry._1(), entry._2());
    }
    rows.write()
        .format(PubSubSinkProvider.class.getName())
        .options(given)
        .mode(SaveMode.Append)
        .save();
    return new Nothing(context);
  }

  /** What Spark asks for of CREATE TABLE … USING pubsub. */
  @Override
  public BaseRelation createRelation(
      SQLContext context, scala.collection.immutable.Map<String, String> options) {
    throw new UnsupportedOperationException(
        "a table of Spark's own catalog cannot stand over a topic or a subscription. Set"
            + " spark.sql.catalog.pubsub=io.sparkpubsub.PubSubCatalog (and …pubsub.projectId): then"
            + " pubsub.NAME is the topic of that name where it is written, and the subscription"
            + " where it is read as a stream");
  }

  /** Any: a column that does not fit is named with what is expected. Spark asks from 4.0 on. */
  public boolean supportsDataType(DataType type) {
    return true;
  }

  /** What Spark wants back from a write: there is nothing to be read there. */
  private static final class Nothing extends BaseRelation {
    private final SQLContext context;

    Nothing(SQLContext context) {
      this.context = context;
    }

    @Override
    public SQLContext sqlContext() {
      return context;
    }

    @Override
    public StructType schema() {
      return new StructType();
    }
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
