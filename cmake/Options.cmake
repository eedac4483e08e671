# SPDX-License-Identifier: Apache-2.0
# Every choice a user has when configuring.
option(SKIFF_TESTS "build the tests (where cmocka is found)" ON)
option(SKIFF_PAHO "build in the engine paho, on Eclipse Paho MQTT C (async, with TLS)" ON)
option(SKIFF_WERROR "warnings are errors; the presets say so, packagers need not" OFF)
option(SKIFF_LTO "link-time optimisation of the shared library in a release build" ON)
set(SKIFF_SANITIZE "" CACHE STRING "sanitizers for everything built: 'address,undefined', 'thread' or empty")
option(SKIFF_FUZZ "build the fuzz targets, and no other test (clang only)" OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "build type" FORCE)
endif()
