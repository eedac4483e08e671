# SPDX-License-Identifier: Apache-2.0
# What must be there. `tools/demo.sh` installs it on Debian and Ubuntu, and names it on other systems.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv>=1.40)
pkg_check_modules(LIBWEBSOCKETS REQUIRED IMPORTED_TARGET libwebsockets>=4.0)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
set(SKIFF_LINK_LIBRARIES OpenSSL::SSL OpenSSL::Crypto PkgConfig::LIBUV PkgConfig::LIBWEBSOCKETS Threads::Threads)
if(SKIFF_PAHO)
  find_path(PAHO_INCLUDE_DIR MQTTAsync.h)
  find_library(PAHO_LIBRARY paho-mqtt3as)
  if(NOT PAHO_INCLUDE_DIR OR NOT PAHO_LIBRARY)
    message(FATAL_ERROR "Eclipse Paho MQTT C (libpaho-mqtt3as, MQTTAsync.h) was not found. Install it (Debian: libpaho-mqtt-dev), "
      "or leave the engine paho out: -DSKIFF_PAHO=OFF")
  endif()
  add_library(skiff::paho UNKNOWN IMPORTED)
  set_target_properties(skiff::paho PROPERTIES
    IMPORTED_LOCATION ${PAHO_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${PAHO_INCLUDE_DIR})
  list(APPEND SKIFF_LINK_LIBRARIES skiff::paho)
  set(SKIFF_PC_PAHO "-lpaho-mqtt3as ") # it comes without a .pc file
endif()

if(SKIFF_TESTS)
  pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
  if(NOT CMOCKA_FOUND)
    message(STATUS "no tests are built: cmocka was not found (Debian: libcmocka-dev)")
    set(SKIFF_TESTS OFF)
  endif()
endif()
