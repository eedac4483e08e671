# SPDX-License-Identifier: Apache-2.0
# What must be there. `tools/demo.sh` installs it on Debian and Ubuntu, and names it on other systems.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv>=1.40)
pkg_check_modules(LIBWEBSOCKETS REQUIRED IMPORTED_TARGET libwebsockets>=4.0)
set(SKIFF_LINK_LIBRARIES OpenSSL::SSL OpenSSL::Crypto PkgConfig::LIBUV PkgConfig::LIBWEBSOCKETS Threads::Threads)

if(SKIFF_TESTS)
  pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
  if(NOT CMOCKA_FOUND)
    message(STATUS "no tests are built: cmocka was not found (Debian: libcmocka-dev)")
    set(SKIFF_TESTS OFF)
  endif()
endif()
