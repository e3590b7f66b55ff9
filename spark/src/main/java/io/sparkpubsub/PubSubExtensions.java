package io.sparkpubsub;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.NamedArgumentExpression;
import org.apache.spark.sql.catalyst.parser.ParserInterface;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.QueryExecution;
import scala.Function1;
import scala.Tuple3;
import scala.collection.Seq;
import scala.runtime.AbstractFunction1;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/**
 * {@code spark.sql.extensions=io.sparkpubsub.PubSubExtensions}: the table function {@code
 * read_pubsub(subscriptionId => …, …)}, whose arguments are the options by their names, and whose
 * columns are those of format("pubsub-databricks"). Alone it is a bounded read, behind STREAM a
 * stream. Not every line of Spark knows STREAM before a function: it is read here, and becomes a
 * function of another name.
 */
public final class PubSubExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {
  static final String BOUNDED = "read_pubsub";
  static final String STREAM = "read_pubsub_stream";

  /** What stands for itself (text, names, comments), or what is looked for. */
  private static final Pattern TOKEN =
      Pattern.compile(
          "'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`|--[^\\n]*|/\\*.*?\\*/"
              + "|(?<![\\w.])STREAM\\s(\\s*)read_pubsub(?=\\s*\\()",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    extensions.injectTableFunction(function(BOUNDED, false));
    extensions.injectTableFunction(function(STREAM, true));
    extensions.injectParser(
        new AbstractFunction2<SparkSession, ParserInterface, ParserInterface>() {
          @Override
          public ParserInterface apply(SparkSession session, ParserInterface parser) {
            return reading(parser);
          }
        });
    return BoxedUnit.UNIT;
  }

  // ---- the function ----

  private static Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, LogicalPlan>>
      function(String name, boolean stream) {
    return new Tuple3<>(
        new FunctionIdentifier(name),
        new ExpressionInfo(PubSubExtensions.class.getName(), name),
        new Builder(stream));
  }

  /** Takes what both lines of Scala have for their sequences. */
  private static final class Builder extends AbstractFunction1<Seq<Expression>, LogicalPlan> {
    private final boolean stream;

    Builder(boolean stream) {
      this.stream = stream;
    }

    @Override
    public LogicalPlan apply(Seq<Expression> arguments) {
      return relation(options(arguments), stream);
    }
  }

  private static Map<String, String> options(scala.collection.Iterable<?> arguments) {
    Map<String, String> out = new HashMap<>();
    scala.collection.Iterator<?> each = arguments.iterator();
    while (each.hasNext()) {
      Object argument = each.next();
      if (!(argument instanceof NamedArgumentExpression)) {
        throw new IllegalArgumentException(
            BOUNDED
                + " takes its arguments by name: read_pubsub(subscriptionId => 'orders', projectId"
                + " => 'my-project'); the names are those of the options of format('pubsub')");
      }
      NamedArgumentExpression named = (NamedArgumentExpression) argument;
      out.put(named.key(), value(named.key(), named.value()));
    }
    return out;
  }

  private static String value(String name, Expression expression) {
    Object value = expression.foldable() ? expression.eval(null) : null;
    if (value == null) {
      throw new IllegalArgumentException(
          "argument '"
              + name
              + "' of "
              + BOUNDED
              + " must be a value that is not null, the same in every row");
    }
    return value.toString();
  }

  private static LogicalPlan relation(Map<String, String> options, boolean stream) {
    SparkSession session = SparkSession.active();
    String format = PubSubDatabricksTableProvider.class.getName();
    Dataset<?> rows =
        stream
            ? session.readStream().format(format).options(options).load()
            : session.read().format(format).options(options).load();
    try { // a method of another class in each line of Spark
      Object execution = rows.getClass().getMethod("queryExecution").invoke(rows);
      return ((QueryExecution) execution).analyzed();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Spark does not show the plan of a DataFrame", e);
    }
  }

  // ---- STREAM ----

  /** The parser, whose methods differ from line to line, with STREAM read before the function. */
  private static ParserInterface reading(ParserInterface parser) {
    return (ParserInterface)
        Proxy.newProxyInstance(
            PubSubExtensions.class.getClassLoader(),
            new Class<?>[] {ParserInterface.class},
            (proxy, method, arguments) -> {
              if (arguments != null && arguments.length > 0 && arguments[0] instanceof String) {
                arguments[0] = rewritten((String) arguments[0]);
              }
              try {
                return method.invoke(parser, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** As long as before, so that positions in errors stay true. */
  static String rewritten(String sql) {
    Matcher matcher = TOKEN.matcher(sql);
    StringBuffer out = new StringBuffer();
    while (matcher.find()) {
      String spaces = matcher.group(1);
      String same = spaces == null ? matcher.group() : STREAM + spaces;
      matcher.appendReplacement(out, Matcher.quoteReplacement(same));
    }
    return matcher.appendTail(out).toString();
  }
}
