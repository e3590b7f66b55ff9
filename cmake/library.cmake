# What others build with: headers, the shared and the static library, their pkg-config file and CMake package, the programs, the man
# page. `cmake --install build/release --prefix DIR` (make install PREFIX=DIR); what is installed can be moved as a whole.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# One archive with everything that the static library brings (nghttp2, protobuf-c, generated code) as one object, whose hidden
# symbols are local: a program that links another nghttp2 keeps its own. OpenSSL and zlib stay outside: the system's.
set(ARCHIVE "${CMAKE_BINARY_DIR}/install/libpubsub.a")
set(PARTS pubsub_static pubsub_protos nghttp2 protobuf_c)
list(TRANSFORM PARTS REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE PART_FILES)
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/install")
add_custom_command(OUTPUT "${ARCHIVE}"
  COMMAND ${CMAKE_LINKER} -r -o install/pubsub.o --whole-archive ${PART_FILES}
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_* install/pubsub.o
  COMMAND ${CMAKE_COMMAND} -E rm -f "${ARCHIVE}"
  COMMAND ${CMAKE_AR} rcs "${ARCHIVE}" install/pubsub.o
  DEPENDS ${PARTS} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}" VERBATIM)
add_custom_target(pubsub_archive ALL DEPENDS "${ARCHIVE}")

# The same for the emulator; libpubsub inside it is its own, so that a program may link both.
set(EMULATOR_ARCHIVE "${CMAKE_BINARY_DIR}/install/libpubsub-emulator.a")
set(EMULATOR_PARTS emulator_static llhttp ${PARTS})
list(TRANSFORM EMULATOR_PARTS REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE EMULATOR_PART_FILES)
add_custom_command(OUTPUT "${EMULATOR_ARCHIVE}"
  COMMAND ${CMAKE_LINKER} -r -o install/pubsub-emulator.o --whole-archive ${EMULATOR_PART_FILES}
  COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=pubsub_emulator_*" --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_* install/pubsub-emulator.o
  COMMAND ${CMAKE_COMMAND} -E rm -f "${EMULATOR_ARCHIVE}"
  COMMAND ${CMAKE_AR} rcs "${EMULATOR_ARCHIVE}" install/pubsub-emulator.o
  DEPENDS ${EMULATOR_PARTS} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}" VERBATIM)
add_custom_target(emulator_archive ALL DEPENDS "${EMULATOR_ARCHIVE}")

set(MAN_PAGE "${CMAKE_BINARY_DIR}/install/pubsub.1")
set(BASH_COMPLETION "${CMAKE_BINARY_DIR}/install/pubsub.bash")
add_custom_command(OUTPUT "${MAN_PAGE}" "${BASH_COMPLETION}"
  COMMAND pubsub man > "${MAN_PAGE}"
  COMMAND pubsub completion bash > "${BASH_COMPLETION}"
  DEPENDS pubsub VERBATIM)
add_custom_target(pubsub_pages ALL DEPENDS "${MAN_PAGE}")

configure_file("${CMAKE_SOURCE_DIR}/cmake/pubsub.pc.in" "${CMAKE_BINARY_DIR}/install/pubsub.pc" @ONLY)
configure_file("${CMAKE_SOURCE_DIR}/cmake/pubsub-emulator.pc.in" "${CMAKE_BINARY_DIR}/install/pubsub-emulator.pc" @ONLY)
set(PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/pubsub")
configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/pubsub-config.cmake.in"
  "${CMAKE_BINARY_DIR}/install/pubsub-config.cmake" INSTALL_DESTINATION "${PACKAGE_DIR}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/install/pubsub-config-version.cmake" COMPATIBILITY SameMinorVersion)

install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/pubsub" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS pubsub_shared emulator_shared LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${ARCHIVE}" "${EMULATOR_ARCHIVE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${CMAKE_BINARY_DIR}/install/pubsub.pc" "${CMAKE_BINARY_DIR}/install/pubsub-emulator.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
install(FILES "${CMAKE_BINARY_DIR}/install/pubsub-config.cmake" "${CMAKE_BINARY_DIR}/install/pubsub-config-version.cmake"
  DESTINATION "${PACKAGE_DIR}")
install(TARGETS pubsub pubsub-emulator RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(FILES "${MAN_PAGE}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${BASH_COMPLETION}" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME pubsub)
