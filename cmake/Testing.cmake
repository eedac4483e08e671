# SPDX-License-Identifier: Apache-2.0
# How a test becomes one of ctest's. A test that cannot run here exits 77 with its reason, and counts as skipped. None
# wants a proxy of the environment: with one the engine paho is refused, and `skiff check` mentions it.
set(SKIFF_TEST_WITHOUT "http_proxy=unset:;https_proxy=unset:;HTTPS_PROXY=unset:;all_proxy=unset:;ALL_PROXY=unset:")

# Of the jobs that ctest runs at a time a test takes two; one that mostly waits takes one, and begins early.
set(SKIFF_TEST_WORKS PROCESSORS 2)
set(SKIFF_TEST_WAITS PROCESSORS 1 COST 100)

# Where a program takes certificates from.
set(SKIFF_TEST_CERTS TESTS_CERTS="${PROJECT_SOURCE_DIR}/tests/support/certs.sh")

# skiff_test_certs(NAME...): these tests need the certificates, which are made once for a run (certs/CMakeLists.txt).
function(skiff_test_certs)
  foreach(name ${ARGN})
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED certs)
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "SKIFF_CERTS_MADE=${PROJECT_BINARY_DIR}/certs/made")
  endforeach()
endfunction()

# skiff_support(TARGET FILES in tests/support...): they are compiled once, for all programs that name them. Objects, not an
# archive: some stand before a function of the system's, and only a test that names one may get it.
function(skiff_support target)
  foreach(file ${ARGN})
    string(MAKE_C_IDENTIFIER "support_${file}" object)
    if(NOT TARGET ${object})
      add_library(${object} OBJECT ${PROJECT_SOURCE_DIR}/tests/support/${file})
      target_include_directories(${object} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
      target_compile_definitions(${object} PRIVATE ${SKIFF_TEST_CERTS} SKIFF="$<TARGET_FILE:skiff_command>"
        TESTS_AEDES="${PROJECT_SOURCE_DIR}/tests/support/aedes/broker.cjs"
        TESTS_AEDES_MODULE="${PROJECT_BINARY_DIR}/aedes/node_modules/aedes/package.json")
      target_link_libraries(${object} PRIVATE skiff_internal PkgConfig::CMOCKA)
    endif()
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
  endforeach()
endfunction()

# skiff_test_program(NAME SOURCES... [SUPPORT files in tests/support]): one cmocka program, linked against the objects of the
# library with its internals visible.
function(skiff_test_program name)
  cmake_parse_arguments(P "" "" "SUPPORT" ${ARGN})
  add_executable(test_${name} ${P_UNPARSED_ARGUMENTS})
  skiff_support(test_${name} ${P_SUPPORT})
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE ${SKIFF_TEST_CERTS})
  target_link_libraries(test_${name} PRIVATE skiff_internal PkgConfig::CMOCKA)
endfunction()

# skiff_test(NAME SOURCES... [WAITS] [CERTS] [LABEL kind] [TIMEOUT seconds] [SUPPORT files in tests/support]): a program of
# its own; CERTS: it needs certificates. With PROGRAM [words...] in place of sources that program is run with these words.
function(skiff_test name)
  cmake_parse_arguments(T "WAITS;CERTS" "LABEL;TIMEOUT" "SUPPORT;PROGRAM" ${ARGN})
  if(T_PROGRAM)
    list(POP_FRONT T_PROGRAM program)
  else()
    set(program ${name})
    skiff_test_program(${name} ${T_UNPARSED_ARGUMENTS} SUPPORT ${T_SUPPORT})
  endif()
  add_test(NAME ${name} COMMAND test_${program} ${T_PROGRAM})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABEL}" TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT_MODIFICATION "${SKIFF_TEST_WITHOUT}" ${SKIFF_TEST_WORKS})
  if(T_WAITS)
    set_tests_properties(${name} PROPERTIES ${SKIFF_TEST_WAITS})
  endif()
  if(T_CERTS)
    skiff_test_certs(${name})
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
