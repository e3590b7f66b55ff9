package io.sparkpubsub.read;

import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanExec;
import org.apache.spark.sql.execution.adaptive.QueryStageExec;
import org.apache.spark.sql.execution.columnar.InMemoryRelation;
import org.apache.spark.sql.execution.datasources.v2.BatchScanExec;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2ScanRelation;

/**
 * Whether a plan only looks at what a bounded read gives it: a limit above the read leaves rows out
 * that no other query would get if they were acknowledged, and what a cache holds is gone with it.
 * Plans are walked by reflection where their collections are of another class in each line of
 * Scala.
 */
final class Looks {
  private Looks() {}

  private static final String SOME =
      "the query takes some of its rows (limit, take, first, show, tail), it only looks";

  /**
   * In words; null: all that was read has been used.
   *
   * @param action its name; Python's tail is seen by it alone
   */
  static String reason(QueryExecution execution, scala.Option<String> action) {
    boolean tail = action.isDefined() && action.get().startsWith("tail");
    return tail ? SOME : reason(execution.optimizedPlan(), false);
  }

  private static String reason(Object plan, boolean limited) {
    if (plan instanceof DataSourceV2ScanRelation) {
      boolean ours = ((DataSourceV2ScanRelation) plan).scan() instanceof PubSubScan;
      return ours && limited ? SOME : null;
    }
    if (plan instanceof InMemoryRelation) {
      return reads(((InMemoryRelation) plan).cachedPlan())
          ? "it was read into a cache, which is no place to keep it: write it by the action that"
              + " reads it"
          : null;
    }
    boolean below = limited || isLimit(plan);
    String found = null;
    for (String children : new String[] {"children", "innerChildren"}) {
      scala.collection.Iterator<?> each = list(plan, children);
      while (found == null && each.hasNext()) {
        Object child = each.next();
        found = child instanceof LogicalPlan ? reason(child, below) : null;
      }
    }
    return found;
  }

  private static boolean isLimit(Object plan) {
    String name = plan.getClass().getSimpleName();
    return name.equals("GlobalLimit")
        || name.equals("LocalLimit")
        || name.equals("Offset")
        || name.equals("Tail");
  }

  /** Whether a physical plan has a bounded read of ours. */
  private static boolean reads(Object plan) {
    if (plan instanceof BatchScanExec) {
      return ((BatchScanExec) plan).scan() instanceof PubSubScan;
    }
    if (plan instanceof AdaptiveSparkPlanExec) {
      return reads(((AdaptiveSparkPlanExec) plan).initialPlan());
    }
    if (plan instanceof QueryStageExec) {
      return reads(((QueryStageExec) plan).plan());
    }
    scala.collection.Iterator<?> each = list(plan, "children");
    boolean found = false;
    while (!found && each.hasNext()) {
      found = reads(each.next());
    }
    return found;
  }

  private static scala.collection.Iterator<?> list(Object plan, String method) {
    try {
      Object all = plan.getClass().getMethod(method).invoke(plan);
      return ((scala.collection.Iterable<?>) all).iterator();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("the plan does not tell its " + method, e);
    }
  }
}
