#include "world.h"

#include "model/schema.h"

#define NAME "projects/p/schemas/one"

static void revisions_are_added_found_and_taken(void **state) {
  struct test_world world;
  Google__Pubsub__V1__Schema from = GOOGLE__PUBSUB__V1__SCHEMA__INIT;
  (void)state;
  world_set_up(&world);
  struct world *all = &world.broker.world;
  struct pubsub_map *schemas = &world.broker.schemas;
  from.definition = (char *)(uintptr_t) "first";
  struct schema *schema = schema_add(all, schemas, NAME, &from);
  assert_non_null(schema);
  from.definition = (char *)(uintptr_t) "second";
  assert_non_null(schema_commit(all, schema, &from));
  assert_ptr_equal(schema_find(schemas, NAME), schema);
  assert_ptr_equal(schema_find(schemas, NAME "@whatever"), schema);
  assert_null(schema_find(schemas, "projects/p/schemas/two"));
  assert_int_equal(schema->count, 2);
  assert_string_equal(schema->revisions[1]->definition, "second");
  assert_string_equal(schema->revisions[1]->name, NAME);
  assert_int_equal(schema_revision(schema, schema->revisions[1]->revision_id), 1);
  assert_true(schema_revision(schema, "none") == SIZE_MAX);
  Google__Pubsub__V1__Schema *taken = schema_take_revision(&world.broker.world, schema, 0);
  assert_string_equal(taken->definition, "first");
  google__pubsub__v1__schema__free_unpacked(taken, NULL);
  assert_string_equal(schema->revisions[0]->definition, "second");
  schema_remove(&world.broker.world, schemas, schema);
  assert_null(schema_find(schemas, NAME));
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(revisions_are_added_found_and_taken, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
