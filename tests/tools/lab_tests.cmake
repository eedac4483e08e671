# SPDX-License-Identifier: Apache-2.0
# The certificates, and `skiff lab`: one script a behaviour, each with a lab of its own at free ports.
skiff_script_test(certs_made certs_made.sh ${PROJECT_SOURCE_DIR}/certs LABEL tools)
find_program(BASH_PROGRAM bash)
file(GLOB lab_scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/lab_*.sh)
list(FILTER lab_scripts EXCLUDE REGEX lab_common)
foreach(script ${lab_scripts})
  get_filename_component(name ${script} NAME_WE)
  if(BASH_PROGRAM)
    add_test(NAME ${name} COMMAND ${BASH_PROGRAM} ${script} ${PROJECT_BINARY_DIR}/bin/skiff)
    set_tests_properties(${name} PROPERTIES LABELS tools TIMEOUT 120 SKIP_RETURN_CODE 77)
  endif()
endforeach()
