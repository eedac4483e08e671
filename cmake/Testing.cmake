# SPDX-License-Identifier: Apache-2.0
# How a test becomes one of ctest's. A test that cannot run here exits 77 with its reason, and counts as skipped. None
# wants a proxy of the environment: with one the engine paho is refused, and `skiff check` mentions it.
set(SKIFF_TEST_WITHOUT "http_proxy=unset:;https_proxy=unset:;HTTPS_PROXY=unset:;all_proxy=unset:;ALL_PROXY=unset:")

# Of the jobs that ctest runs at a time a test takes two; one that mostly waits takes one, and begins early.
set(SKIFF_TEST_WORKS PROCESSORS 2)
set(SKIFF_TEST_WAITS PROCESSORS 1 COST 100)

# skiff_test(NAME SOURCES... [WAITS] [LABEL kind] [TIMEOUT seconds] [SUPPORT files in tests/support]): one cmocka
# program, linked against the objects of the library with its internals visible.
function(skiff_test name)
  cmake_parse_arguments(T "WAITS" "LABEL;TIMEOUT" "SUPPORT" ${ARGN})
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
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT_MODIFICATION "${SKIFF_TEST_WITHOUT}" ${SKIFF_TEST_WORKS})
  if(T_WAITS)
    set_tests_properties(${name} PROPERTIES ${SKIFF_TEST_WAITS})
  endif()
endfunction()

# skiff_script_test(NAME SCRIPT [ARGS...] [LABEL kind] [TIMEOUT seconds]): one shell script. It sees the folders
# SKIFF_SOURCE and SKIFF_BUILD, the compiler CC, and in SKIFF_SANITIZE what the build is instrumented with.
function(skiff_script_test name script)
  cmake_parse_arguments(T "" "LABEL;TIMEOUT" "" ${ARGN})
  add_test(NAME ${name} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${T_UNPARSED_ARGUMENTS})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77 ENVIRONMENT
    "SKIFF_SOURCE=${PROJECT_SOURCE_DIR};SKIFF_BUILD=${PROJECT_BINARY_DIR};CC=${CMAKE_C_COMPILER};SKIFF_SANITIZE=${SKIFF_SANITIZE}"
    ENVIRONMENT_MODIFICATION "${SKIFF_TEST_WITHOUT}" ${SKIFF_TEST_WORKS})
endfunction()
