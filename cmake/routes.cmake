# What the emulator makes of the .proto files besides their messages: the table of its REST routes.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(SERVED google/pubsub/v1/pubsub.proto google/pubsub/v1/schema.proto google/iam/v1/iam_policy.proto)
set(DESCRIPTORS "${CMAKE_BINARY_DIR}/descriptors.bin")
set(ROUTES_SOURCE "${CMAKE_BINARY_DIR}/routes.c")
list(TRANSFORM SERVED PREPEND "${PROTOS}/" OUTPUT_VARIABLE served_files)
add_custom_command(OUTPUT "${DESCRIPTORS}"
  COMMAND ${PROTOC_C} "--proto_path=${PROTOS}" --include_imports "--descriptor_set_out=${DESCRIPTORS}" ${SERVED}
  DEPENDS ${served_files} VERBATIM)
add_custom_command(OUTPUT "${ROUTES_SOURCE}"
  COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/tools/generate_routes.py" "${DESCRIPTORS}" "${ROUTES_SOURCE}"
  DEPENDS "${DESCRIPTORS}" "${CMAKE_SOURCE_DIR}/tools/generate_routes.py" "${CMAKE_SOURCE_DIR}/tools/protos.py" VERBATIM)
