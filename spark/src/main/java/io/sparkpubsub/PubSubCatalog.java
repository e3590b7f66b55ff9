package io.sparkpubsub;

import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * Subscriptions and topics by name, for SQL: {@code spark.sql.catalog.pubsub=io.sparkpubsub.PubSubCatalog}, then
 * {@code pubsub.NAME} or {@code pubsub.PROJECT.NAME} is the subscription of that name where it is read as a stream, and the topic
 * where it is written. {@code spark.sql.catalog.pubsub.OPTION} sets an option for all of them. It lists and makes nothing.
 */
public final class PubSubCatalog implements TableCatalog {
  private final PubSubTableProvider provider = new PubSubTableProvider();
  private String name;
  private Map<String, String> options;

  @Override
  public void initialize(String catalog, CaseInsensitiveStringMap given) {
    name = catalog;
    options = given.asCaseSensitiveMap();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Table loadTable(Identifier identifier) throws NoSuchTableException {
    if (identifier.namespace().length > 1) {
      throw new NoSuchTableException(identifier);
    }
    Map<String, String> properties = new HashMap<>(options);
    if (identifier.namespace().length == 1) {
      properties.put("projectId", identifier.namespace()[0]);
    }
    properties.put("subscriptionId", identifier.name());
    properties.put("topicId", identifier.name());
    return provider.getTable(null, new Transform[0], properties);
  }

  @Override
  public Identifier[] listTables(String[] namespace) {
    return new Identifier[0];
  }

  private UnsupportedOperationException readOnly() {
    return new UnsupportedOperationException(
        "catalog " + name + " makes, changes and drops nothing: use gcloud pubsub, or the option createSubscription");
  }

  @Override
  @SuppressWarnings("deprecation") // its replacement is not in every supported Spark
  public Table createTable(
      Identifier identifier, StructType schema, Transform[] partitions, Map<String, String> properties) {
    throw readOnly();
  }

  @Override
  public Table alterTable(Identifier identifier, TableChange... changes) {
    throw readOnly();
  }

  @Override
  public boolean dropTable(Identifier identifier) {
    throw readOnly();
  }

  @Override
  public void renameTable(Identifier from, Identifier to) {
    throw readOnly();
  }
}
