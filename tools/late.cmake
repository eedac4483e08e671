# SPDX-License-Identifier: Apache-2.0
# late.c, where the names under which the libraries are loaded can be told. Sanitizers want all libraries from the start.

# skiff_soname(VARIABLE LIBRARY): the name that programs linked with LIBRARY look for; empty: not known
function(skiff_soname variable library)
  set(${variable} "" PARENT_SCOPE)
  if(CMAKE_OBJDUMP AND EXISTS "${library}")
    execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${library} OUTPUT_VARIABLE headers ERROR_QUIET)
    if(headers MATCHES "SONAME +([^\n ]+)")
      set(${variable} ${CMAKE_MATCH_1} PARENT_SCOPE)
    endif()
  endif()
endfunction()

if(SKIFF_PAHO AND NOT SKIFF_SANITIZE)
  find_library(SKIFF_LIBWEBSOCKETS_FILE websockets HINTS ${LIBWEBSOCKETS_LIBRARY_DIRS})
  mark_as_advanced(SKIFF_LIBWEBSOCKETS_FILE)
  skiff_soname(lws_soname "${SKIFF_LIBWEBSOCKETS_FILE}")
  find_library(SKIFF_CJSON_FILE cjson HINTS ${CJSON_LIBRARY_DIRS})
  mark_as_advanced(SKIFF_CJSON_FILE)
  skiff_soname(cjson_soname "${SKIFF_CJSON_FILE}")
  skiff_soname(paho_soname "${PAHO_LIBRARY}")
  if(lws_soname AND paho_soname AND cjson_soname)
    target_sources(skiff_command PRIVATE late.c)
    set_property(SOURCE late.c PROPERTY COMPILE_DEFINITIONS
      SKIFF_LATE_LIBWEBSOCKETS="${lws_soname}" SKIFF_LATE_PAHO="${paho_soname}"
      SKIFF_LATE_CJSON="${cjson_soname}")
    target_link_libraries(skiff_command PRIVATE PkgConfig::LIBWEBSOCKETS skiff::paho ${CMAKE_DL_LIBS})

    # OpenSSL's functions are jumps in the language of the processor.
    skiff_soname(openssl_soname "${OPENSSL_SSL_LIBRARY}")
    if(openssl_soname AND CMAKE_NM AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
      execute_process(COMMAND ${CMAKE_NM} -D --defined-only ${OPENSSL_SSL_LIBRARY} ${OPENSSL_CRYPTO_LIBRARY}
        OUTPUT_VARIABLE names ERROR_QUIET)
      string(REGEX MATCHALL " T [A-Za-z0-9_]+" names "${names}")
      list(REMOVE_DUPLICATES names)
      list(TRANSFORM names REPLACE "^ T (.*)" "\tlate \\1\n")
      list(JOIN names "" names)
      file(CONFIGURE OUTPUT late_openssl.h CONTENT "${names}" @ONLY)
      enable_language(ASM)
      target_sources(skiff_command PRIVATE late_openssl.S)
      target_include_directories(skiff_command PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
      set_property(SOURCE late.c APPEND PROPERTY COMPILE_DEFINITIONS SKIFF_LATE_OPENSSL="${openssl_soname}")
    endif()
  endif()
endif()
