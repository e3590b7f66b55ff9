package io.sparkpubsub;

import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.service.Admin;
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
 * Subscriptions and topics by name, for SQL: {@code
 * spark.sql.catalog.pubsub=io.sparkpubsub.PubSubCatalog}, then {@code pubsub.NAME} or {@code
 * pubsub.PROJECT.NAME} is the subscription of that name where it is read as a stream, and the topic
 * where it is written. {@code spark.sql.catalog.pubsub.OPTION} sets an option for all of them. It
 * lists and makes nothing.
 */
public final class PubSubCatalog implements TableCatalog {
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

  /**
   * NAME, PROJECT.NAME, or a full name (`projects/P/topics/T`, `projects/P/subscriptions/S`). The
   * service is not asked: a read or a write that needs what is missing says how to make it. From
   * 4.0 on Spark loads a table only to see whether there is one: then it is.
   */
  @Override
  public Table loadTable(Identifier identifier) throws NoSuchTableException {
    PubSubTable table = table(identifier);
    if (isAskedWhetherThere() && !isThere(table.options())) {
      throw new NoSuchTableException(identifier);
    }
    return table;
  }

  /** spark.catalog.tableExists, which has no other sign. */
  private static boolean isAskedWhetherThere() {
    for (StackTraceElement frame : new Throwable().getStackTrace()) {
      if (frame.getMethodName().equals("tableExists")
          && frame.getClassName().startsWith("org.apache.spark.sql.")) {
        return true;
      }
    }
    return false;
  }

  private PubSubTable table(Identifier identifier) throws NoSuchTableException {
    if (identifier.namespace().length > 1) {
      throw new NoSuchTableException(identifier);
    }
    Map<String, String> properties = new HashMap<>(options);
    if (identifier.namespace().length == 1) {
      properties.put("projectId", identifier.namespace()[0]);
    }
    String named = identifier.name();
    if (!named.contains("/topics/")) {
      properties.put("subscriptionId", named);
    }
    if (!named.contains("/subscriptions/")) {
      properties.put("topicId", named);
    }
    return PubSubTable.ofCatalog(
        PubSubTableProvider.optionsOf(properties), name + "." + identifier);
  }

  /** Whether there is a topic or a subscription of that name, as far as it can be seen. */
  @Override
  public boolean tableExists(Identifier identifier) {
    try {
      return isThere(table(identifier).options());
    } catch (NoSuchTableException e) {
      return false;
    }
  }

  private static boolean isThere(PubSubOptions named) {
    try {
      return (named.has(Option.TOPIC_ID) && there(() -> Admin.getTopic(named, named.topic())))
          || (named.has(Option.SUBSCRIPTION_ID) && there(() -> Admin.getSubscription(named)));
    } catch (IllegalArgumentException e) { // not a name
      return false;
    }
  }

  private static boolean there(Runnable look) {
    try {
      look.run();
      return true;
    } catch (PubSubException e) {
      return !e.code().equals("NOT_FOUND"); // who may not look may still read or write
    }
  }

  @Override
  public Identifier[] listTables(String[] namespace) {
    return new Identifier[0];
  }

  private UnsupportedOperationException readOnly(Identifier identifier) {
    return new UnsupportedOperationException(
        "catalog "
            + name
            + " makes, changes and drops nothing, so not '"
            + identifier
            + "' either: topics and subscriptions are made with gcloud pubsub (in an emulator with"
            + " the command pubsub), a subscription also by the option createSubscription of a"
            + " read");
  }

  @Override
  @SuppressWarnings("deprecation") // its replacement is not in every supported Spark
  public Table createTable(
      Identifier identifier,
      StructType schema,
      Transform[] partitions,
      Map<String, String> properties) {
    throw readOnly(identifier);
  }

  @Override
  public Table alterTable(Identifier identifier, TableChange... changes) {
    throw readOnly(identifier);
  }

  @Override
  public boolean dropTable(Identifier identifier) {
    throw readOnly(identifier);
  }

  @Override
  public void renameTable(Identifier from, Identifier to) {
    throw readOnly(from);
  }
}
