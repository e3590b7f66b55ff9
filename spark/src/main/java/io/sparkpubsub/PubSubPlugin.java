package io.sparkpubsub;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.service.Gauges;
import java.util.Collections;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * {@code spark.plugins=io.sparkpubsub.PubSubPlugin}: the figures of sources and sinks in Spark's
 * metrics system, and so in whatever that feeds (its JSON and Prometheus servlets, JMX, StatsD,
 * Graphite), also between batches. On the driver {@code source.…}, summed over the queries that
 * run; on driver (local mode) and executors {@code sink.…}.
 */
public final class PubSubPlugin implements SparkPlugin {
  private static void sink(MetricRegistry registry) {
    for (Gauges.Sink metric : Gauges.Sink.values()) {
      registry.register("sink." + metric.key, (Gauge<Long>) metric::sum);
    }
  }

  @Override
  public DriverPlugin driverPlugin() {
    return new DriverPlugin() {
      @Override
      public Map<String, String> init(SparkContext context, PluginContext plugin) {
        for (String key : Ledger.metricNames()) {
          plugin.metricRegistry().register("source." + key, (Gauge<Long>) () -> Gauges.source(key));
        }
        if (context.isLocal()) {
          sink(plugin.metricRegistry());
        }
        return Collections.emptyMap();
      }
    };
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new ExecutorPlugin() {
      @Override
      public void init(PluginContext plugin, Map<String, String> extra) {
        if (!plugin.executorID().equals("driver")) { // local mode: the driver shows it
          sink(plugin.metricRegistry());
        }
      }
    };
  }
}
