# SPDX-License-Identifier: MIT
# How every target of the project is compiled, in one place.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# Flags of our own code. -ffp-contract=off: the compiler must not fuse a multiplication and an
# addition where another compiler or CPU would not (the same bits everywhere); kernels ask for FMA
# by name.
add_library(spur_flags INTERFACE)
target_compile_features(spur_flags INTERFACE c_std_17)
target_compile_definitions(spur_flags INTERFACE _POSIX_C_SOURCE=200809L)
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

# One room of the house: an object library of the given sources.
function(spur_room name)
  add_library(${name} OBJECT ${ARGN})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON C_EXTENSIONS OFF)
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:spur_flags>)
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src/base/include>)
endfunction()
