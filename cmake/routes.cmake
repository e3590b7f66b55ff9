# What the emulator makes of the .proto files besides their messages: the table of its REST routes, and what reflection tells.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(OWN_PROTOS "${CMAKE_SOURCE_DIR}/emulator/protos")
set(SERVED google/pubsub/v1/pubsub.proto google/pubsub/v1/schema.proto google/iam/v1/iam_policy.proto)
set(SERVED_OWN grpc/health/v1/health.proto grpc/reflection/v1/reflection.proto grpc/reflection/v1alpha/reflection.proto
  pubsub/emulator/v1/control.proto)
set(DESCRIPTORS "${CMAKE_BINARY_DIR}/descriptors.bin")
list(TRANSFORM SERVED PREPEND "${PROTOS}/" OUTPUT_VARIABLE served_files)
list(TRANSFORM SERVED_OWN PREPEND "${OWN_PROTOS}/" OUTPUT_VARIABLE served_own_files)
add_custom_command(OUTPUT "${DESCRIPTORS}"
  COMMAND ${PROTOC_C} "--proto_path=${PROTOS}" "--proto_path=${OWN_PROTOS}" --include_imports "--descriptor_set_out=${DESCRIPTORS}"
    ${SERVED} ${SERVED_OWN}
  DEPENDS ${served_files} ${served_own_files} VERBATIM)
foreach(table routes descriptors)
  set(source "${CMAKE_BINARY_DIR}/${table}.c")
  set(generator "${CMAKE_SOURCE_DIR}/tools/generate_${table}.py")
  add_custom_command(OUTPUT "${source}"
    COMMAND Python3::Interpreter "${generator}" "${DESCRIPTORS}" "${source}"
    DEPENDS "${DESCRIPTORS}" "${generator}" "${CMAKE_SOURCE_DIR}/tools/protos.py" VERBATIM)
  list(APPEND TABLE_SOURCES "${source}")
endforeach()
set(UI_PAGE "${CMAKE_SOURCE_DIR}/emulator/pages/ui.html")
add_custom_command(OUTPUT "${CMAKE_BINARY_DIR}/ui.c"
  COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/tools/embed.py" "${UI_PAGE}" "${CMAKE_BINARY_DIR}/ui.c"
  DEPENDS "${UI_PAGE}" "${CMAKE_SOURCE_DIR}/tools/embed.py" VERBATIM)
list(APPEND TABLE_SOURCES "${CMAKE_BINARY_DIR}/ui.c")
