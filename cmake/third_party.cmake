# What is linked, statically: nghttp2, protobuf-c and (into the emulator) llhttp compiled here with our own flags (so that the
# sanitizers see them), OpenSSL and zlib from the system's static libraries, or from pinned sources (PUBSUB_LIBRARIES) where the
# build is portable.
set(THIRD_PARTY "${CMAKE_SOURCE_DIR}/.deps/src")
if(NOT EXISTS "${THIRD_PARTY}/nghttp2/VERSION.pinned")
  message(FATAL_ERROR "third-party sources are missing: run tools/bootstrap.sh build (make build does)")
endif()

file(READ "${THIRD_PARTY}/nghttp2/VERSION.pinned" PACKAGE_VERSION)
string(STRIP "${PACKAGE_VERSION}" PACKAGE_VERSION)
string(REPLACE "." ";" parts "${PACKAGE_VERSION}")
list(GET parts 0 major)
list(GET parts 1 minor)
list(GET parts 2 patch)
math(EXPR PACKAGE_VERSION_NUM "(${major} << 16) | (${minor} << 8) | ${patch}" OUTPUT_FORMAT HEXADECIMAL)
configure_file("${THIRD_PARTY}/nghttp2/lib/includes/nghttp2/nghttp2ver.h.in"
  "${CMAKE_BINARY_DIR}/third_party/nghttp2/nghttp2ver.h" @ONLY)
file(GLOB nghttp2_sources "${THIRD_PARTY}/nghttp2/lib/*.c")
add_library(nghttp2 STATIC ${nghttp2_sources})
target_include_directories(nghttp2 SYSTEM PUBLIC
  "${THIRD_PARTY}/nghttp2/lib/includes" "${CMAKE_BINARY_DIR}/third_party")
target_compile_definitions(nghttp2
  PUBLIC NGHTTP2_STATICLIB PRIVATE HAVE_ARPA_INET_H HAVE_NETINET_IN_H HAVE_TIME_H)
target_compile_options(nghttp2 PRIVATE -w)
# The package's version says which patches are in it; the upstream version does not.
file(STRINGS "${THIRD_PARTY}/nghttp2/debian/changelog" changelog LIMIT_COUNT 1)
string(REGEX REPLACE "^[^(]*\\(([^)]*)\\).*" "\\1" NGHTTP2_PACKAGE "${changelog}")
target_compile_definitions(nghttp2 INTERFACE "PUBSUB_NGHTTP2_PACKAGE=\"${NGHTTP2_PACKAGE}\"")

add_library(protobuf_c STATIC "${THIRD_PARTY}/protobuf-c/protobuf-c/protobuf-c.c")
target_include_directories(protobuf_c SYSTEM PUBLIC "${THIRD_PARTY}/protobuf-c")
# Its varints are shifted as int; every compiler does what it means.
target_compile_options(protobuf_c PRIVATE -w -fno-sanitize=shift)

# The emulator's alone.
set(LLHTTP "${CMAKE_SOURCE_DIR}/.deps/llhttp")
if(NOT EXISTS "${LLHTTP}/src/llhttp.c")
  message(FATAL_ERROR "the HTTP/1 parser is missing: run tools/bootstrap.sh build (make build does)")
endif()
add_library(llhttp STATIC "${LLHTTP}/src/llhttp.c" "${LLHTTP}/src/api.c" "${LLHTTP}/src/http.c")
target_include_directories(llhttp SYSTEM PUBLIC "${LLHTTP}/include")
target_compile_options(llhttp PRIVATE -w)

find_library(LIBSSL libssl.a REQUIRED)
find_library(LIBCRYPTO libcrypto.a REQUIRED)
find_library(LIBZ libz.a REQUIRED)
add_library(openssl INTERFACE)
target_link_libraries(openssl INTERFACE "${LIBSSL}" "${LIBCRYPTO}" ${CMAKE_DL_LIBS} Threads::Threads)
add_library(zlib INTERFACE)
target_link_libraries(zlib INTERFACE "${LIBZ}")
if(PUBSUB_PORTABLE)
  target_include_directories(openssl SYSTEM INTERFACE "${PUBSUB_LIBRARIES}/include")
  target_include_directories(zlib SYSTEM INTERFACE "${PUBSUB_LIBRARIES}/include")
endif()
