# SPDX-License-Identifier: MIT
# How every target of the project is compiled, in one place.

set(CMAKE_C_EXTENSIONS OFF)

# Flags of our own code, and the folder from which its rooms are included ("base/file.h").
# -ffp-contract=off: the compiler must not fuse a multiplication and an addition where another compiler
# or CPU would not (the same bits everywhere); kernels ask for FMA by name.
add_library(spur_flags INTERFACE)
target_compile_features(spur_flags INTERFACE c_std_17)
target_compile_definitions(spur_flags INTERFACE _POSIX_C_SOURCE=200809L)
target_include_directories(spur_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(spur_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -ffp-contract=off -fno-math-errno -fno-trapping-math -fvisibility=hidden
  $<$<BOOL:${SPUR_WERROR}>:-Werror>)
if(SPUR_SANITIZE)
  # A target may opt out by its property SPUR_UNSANITIZED.
  target_compile_options(spur_flags INTERFACE
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:SPUR_UNSANITIZED>>>:-fsanitize=${SPUR_SANITIZE}>
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:SPUR_UNSANITIZED>>>:-fno-sanitize-recover=all>
    -fno-omit-frame-pointer)
  target_link_options(spur_flags INTERFACE -fsanitize=${SPUR_SANITIZE})
endif()
if(SPUR_FUZZ)
  target_compile_options(spur_flags INTERFACE
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:SPUR_UNSANITIZED>>>:-fsanitize=fuzzer-no-link>)
endif()

# A library: TARGET for users, static or shared as BUILD_SHARED_LIBS says, and TARGET_inside for the
# program, the tests and the benchmarks, which call what a shared library hides. The latter is always
# static, and built where something asks for it. Arguments: target, the name in the package, SOURCES,
# LIBRARIES (private).
function(spur_library target name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${target} ${arg_SOURCES})
  add_library(spur::${name} ALIAS ${target})
  set(targets ${target})
  if(BUILD_SHARED_LIBS)
    add_library(${target}_inside STATIC EXCLUDE_FROM_ALL ${arg_SOURCES})
    list(APPEND targets ${target}_inside)
  else()
    add_library(${target}_inside ALIAS ${target})
  endif()
  foreach(each ${targets})
    set_target_properties(${each} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    get_target_property(type ${each} TYPE)
    if(type STREQUAL "SHARED_LIBRARY") # it has the base inside
      target_link_libraries(${each} PRIVATE $<BUILD_INTERFACE:spur_base>)
    else()
      target_link_libraries(${each} PUBLIC spur_base)
    endif()
    target_link_libraries(${each} PRIVATE $<BUILD_INTERFACE:spur_flags> ${arg_LIBRARIES})
    target_include_directories(${each}
      PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
             $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src/base/include>
             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
      PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  endforeach()
  set_target_properties(${target} PROPERTIES OUTPUT_NAME spur-${name} EXPORT_NAME ${name}
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endfunction()
