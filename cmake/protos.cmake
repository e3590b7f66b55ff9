# Generated code of the control messages: #include "google/pubsub/v1/pubsub.pb-c.h".
set(PROTOS "${CMAKE_SOURCE_DIR}/.deps/protos")
if(NOT EXISTS "${PROTOS}/google/pubsub/v1/pubsub.proto")
  message(FATAL_ERROR "the .proto files are missing: run tools/bootstrap.sh build (make build does)")
endif()
find_program(PROTOC_C protoc-c REQUIRED)

set(names
  google/pubsub/v1/pubsub google/pubsub/v1/schema
  google/iam/v1/iam_policy google/iam/v1/policy google/iam/v1/options
  google/rpc/status google/rpc/error_details google/rpc/code google/type/expr
  google/api/annotations google/api/client google/api/field_behavior google/api/field_info
  google/api/http google/api/launch_stage google/api/resource
  google/protobuf/any google/protobuf/descriptor google/protobuf/duration google/protobuf/empty
  google/protobuf/field_mask google/protobuf/struct google/protobuf/timestamp)

set(GENERATED "${CMAKE_BINARY_DIR}/protos")
file(MAKE_DIRECTORY "${GENERATED}")
foreach(name IN LISTS names)
  list(APPEND inputs "${PROTOS}/${name}.proto")
  list(APPEND outputs "${GENERATED}/${name}.pb-c.c" "${GENERATED}/${name}.pb-c.h")
  list(APPEND sources "${GENERATED}/${name}.pb-c.c")
endforeach()
add_custom_command(OUTPUT ${outputs}
  COMMAND ${PROTOC_C} "--proto_path=${PROTOS}" "--c_out=${GENERATED}" ${inputs}
  DEPENDS ${inputs} VERBATIM)

add_library(pubsub_protos STATIC ${sources} ${outputs})
target_include_directories(pubsub_protos SYSTEM PUBLIC "${GENERATED}")
target_link_libraries(pubsub_protos PUBLIC protobuf_c)
target_compile_options(pubsub_protos PRIVATE -w INTERFACE -Wno-deprecated-declarations)
