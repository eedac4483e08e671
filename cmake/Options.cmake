# SPDX-License-Identifier: Apache-2.0
# Every choice a user has when configuring.
option(SKIFF_TESTS "build the tests" ON)
set(SKIFF_SANITIZE "" CACHE STRING "sanitizers for everything built: 'address,undefined', 'thread' or empty")
option(SKIFF_FUZZ "build the fuzz targets (clang only)" OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "build type" FORCE)
endif()
