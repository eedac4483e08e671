# SPDX-License-Identifier: Apache-2.0
find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

# skiff_test(NAME SOURCES... [LABEL kind] [SUPPORT files in tests/support]): one cmocka program, linked against the twin
# of the library whose internals are visible.
function(skiff_test name)
  cmake_parse_arguments(T "" "LABEL;TIMEOUT" "SUPPORT" ${ARGN})
  set(sources ${T_UNPARSED_ARGUMENTS})
  foreach(file ${T_SUPPORT})
    list(APPEND sources ${PROJECT_SOURCE_DIR}/tests/support/${file})
  endforeach()
  add_executable(test_${name} ${sources})
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE skiff_internal PkgConfig::CMOCKA)
  add_test(NAME ${name} COMMAND test_${name})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT})
endfunction()
