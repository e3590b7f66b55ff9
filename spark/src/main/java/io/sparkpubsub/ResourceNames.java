package io.sparkpubsub;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of topics and subscriptions: short ones are completed, and those that the service would
 * refuse are refused here, with the rule.
 */
final class ResourceNames {
  private static final Pattern FULL =
      Pattern.compile("projects/([^/]+)/(topics|subscriptions)/([^/]*)");
  private static final Pattern SHORT = Pattern.compile("[A-Za-z][A-Za-z0-9._~%+-]{2,254}");
  private static final String RULE =
      "a name has 3 to 255 letters, digits and characters of - . _ ~ + %, begins with a letter and"
          + " not with 'goog'";

  private ResourceNames() {}

  /**
   * projects/PROJECT/KIND/NAME.
   *
   * @param project of a short name; may be null where the name is full
   * @param name short, or full already
   * @param kind topics or subscriptions
   */
  static String full(String project, String name, String kind) {
    if (!name.contains("/")) {
      if (project == null || project.isEmpty()) {
        throw new IllegalArgumentException(
            "option 'projectId' is required with the short name '"
                + name
                + "' (or give the full one: projects/PROJECT/"
                + kind
                + "/"
                + name
                + ")");
      }
      return checked("projects/" + project + "/" + kind + "/" + name, name, kind);
    }
    Matcher matcher = FULL.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'"
              + name
              + "' is not a valid name of a "
              + one(kind)
              + ": it is NAME, or projects/PROJECT/"
              + kind
              + "/NAME; "
              + RULE);
    }
    if (!matcher.group(2).equals(kind)) {
      throw new IllegalArgumentException(
          "'" + name + "' is a " + one(matcher.group(2)) + ", where a " + one(kind) + " is wanted");
    }
    return checked(name, matcher.group(3), kind);
  }

  private static String checked(String full, String name, String kind) {
    if (!SHORT.matcher(name).matches() || name.startsWith("goog")) {
      throw new IllegalArgumentException(
          "'" + name + "' is not a valid name of a " + one(kind) + ": " + RULE);
    }
    return full;
  }

  private static String one(String kind) {
    return kind.substring(0, kind.length() - 1);
  }
}
