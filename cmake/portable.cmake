# The toolchain of tools/portable/build.sh: its compiler is on the path, PUBSUB_SYSTEM, PUBSUB_MACHINE and PUBSUB_LIBRARIES (OpenSSL and
# zlib for that platform) are given to it.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PUBSUB_SYSTEM PUBSUB_MACHINE PUBSUB_LIBRARIES)
set(CMAKE_SYSTEM_NAME ${PUBSUB_SYSTEM})
set(CMAKE_SYSTEM_PROCESSOR ${PUBSUB_MACHINE})
set(CMAKE_C_COMPILER pubsub-cc)
set(CMAKE_AR pubsub-ar CACHE FILEPATH "")
set(CMAKE_RANLIB pubsub-ranlib CACHE FILEPATH "")
set(PUBSUB_PORTABLE ON)
foreach(library ssl crypto z)
  string(TOUPPER "LIB${library}" name)
  set(${name} "${PUBSUB_LIBRARIES}/lib/lib${library}.a" CACHE FILEPATH "")
endforeach()
