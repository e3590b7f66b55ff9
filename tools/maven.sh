# Sourced. maven ARGS…: runs Maven on spark/, offline from the second run on with the same pom.xml; `maven_ready`
# names what else must have been resolved (tests need more than packaging does), `maven_project` a copy of spark/.
maven() {
  local stamp pom=${maven_project:-spark}/pom.xml
  stamp=".deps/.maven-$(cat spark/pom.xml | sha256sum | cut -c1-16)-${maven_ready:-package}"
  if [ -e "$stamp" ]; then
    mvn -B -q --no-transfer-progress -o -f "$pom" "$@"
  else
    mvn -B -q --no-transfer-progress -f "$pom" "$@"
    touch "$stamp"
  fi
  rm -f spark/target/original-*.jar # what was shaded: nobody is to take it for the jar
}
