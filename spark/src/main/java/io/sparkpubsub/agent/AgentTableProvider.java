package io.sparkpubsub.agent;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.catalog.TableProvider;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * An empty table with a partition on every executor that has no agent yet: reading it starts them.
 * A table, because its partitions can name the executor they want in every supported Spark. A start
 * that fails is told to the driver and fails no task.
 */
public final class AgentTableProvider implements TableProvider {
  private static final StructType SCHEMA = new StructType().add("executor", DataTypes.StringType);

  @Override
  public StructType inferSchema(CaseInsensitiveStringMap options) {
    return SCHEMA;
  }

  @Override
  public Table getTable(
      StructType schema, Transform[] partitioning, Map<String, String> properties) {
    return new AgentTable(new CaseInsensitiveStringMap(properties).get("job"));
  }

  private static final class AgentTable implements SupportsRead, ScanBuilder, Scan, Batch {
    private final String job;

    AgentTable(String job) {
      this.job = job;
    }

    @Override
    public String name() {
      return "pubsub agents";
    }

    @Override
    @SuppressWarnings("deprecation") // its replacement is not in every supported Spark
    public StructType schema() {
      return SCHEMA;
    }

    @Override
    public Set<TableCapability> capabilities() {
      return Collections.singleton(TableCapability.BATCH_READ);
    }

    @Override
    public ScanBuilder newScanBuilder(CaseInsensitiveStringMap options) {
      return this;
    }

    @Override
    public Scan build() {
      return this;
    }

    @Override
    public StructType readSchema() {
      return SCHEMA;
    }

    @Override
    public Batch toBatch() {
      return this;
    }

    @Override
    public InputPartition[] planInputPartitions() {
      StartingRuns.Job starting = StartingRuns.of(job);
      List<InputPartition> partitions = new ArrayList<>();
      starting.executors.forEach(
          (id, host) -> partitions.add(new AgentPartition(starting.config, location(id, host))));
      if (partitions.isEmpty()) {
        partitions.add(new AgentPartition(null, null));
      }
      return partitions.toArray(new InputPartition[0]);
    }

    private static String location(String id, String host) {
      return "executor_" + host + "_" + id;
    }

    @Override
    public PartitionReaderFactory createReaderFactory() {
      return new AgentReaderFactory();
    }
  }

  private static final class AgentPartition implements InputPartition {
    private static final long serialVersionUID = 1;
    final AgentConfig config; // null: nothing is started
    private final String location; // null: wherever

    AgentPartition(AgentConfig config, String location) {
      this.config = config;
      this.location = location;
    }

    @Override
    public String[] preferredLocations() {
      return location == null ? new String[0] : new String[] {location};
    }
  }

  private static final class AgentReaderFactory implements PartitionReaderFactory {
    private static final long serialVersionUID = 1;

    @Override
    public PartitionReader<InternalRow> createReader(InputPartition partition) {
      AgentConfig config = ((AgentPartition) partition).config;
      if (config != null) {
        LedgerClient.startOrTell(config);
      }
      return new PartitionReader<InternalRow>() {
        @Override
        public boolean next() {
          return false;
        }

        @Override
        public InternalRow get() {
          throw new IllegalStateException("empty");
        }

        @Override
        public void close() {}
      };
    }
  }
}
