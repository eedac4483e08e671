# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: headers, both libraries, skiff.pc, the CMake package, the command and its manual pages.
# Everything stays right when the tree is moved as a whole.
include(CMakePackageConfigHelpers)
set(SKIFF_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/skiff)
set(SKIFF_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(DIRECTORY lib/include/skiff DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/include/skiff/version.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/skiff)
install(TARGETS skiff EXPORT skiff DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS skiff_static EXPORT skiff-static DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Two files, since only who links the archive needs OpenSSL, libuv and libwebsockets to be found.
install(EXPORT skiff NAMESPACE skiff:: FILE skiff-targets.cmake DESTINATION ${SKIFF_CMAKE_DIR})
install(EXPORT skiff-static NAMESPACE skiff:: FILE skiff-static-targets.cmake DESTINATION ${SKIFF_CMAKE_DIR})

configure_package_config_file(cmake/skiff-config.cmake.in ${PROJECT_BINARY_DIR}/skiff-config.cmake
  INSTALL_DESTINATION ${SKIFF_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/skiff-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/skiff-config.cmake ${PROJECT_BINARY_DIR}/skiff-config-version.cmake
  DESTINATION ${SKIFF_CMAKE_DIR})

file(RELATIVE_PATH SKIFF_PC_TO_PREFIX /prefix/${SKIFF_PC_DIR} /prefix/)
string(REGEX REPLACE "/$" "" SKIFF_PC_TO_PREFIX ${SKIFF_PC_TO_PREFIX})
configure_file(cmake/skiff.pc.in ${PROJECT_BINARY_DIR}/skiff.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/skiff.pc DESTINATION ${SKIFF_PC_DIR})
install(FILES LICENSE CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
