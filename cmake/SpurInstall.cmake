# SPDX-License-Identifier: MIT
# Installation: libraries, headers, a CMake package (find_package(spur [COMPONENTS log nn])) and
# pkg-config files (spur-log, spur-nn). Switched off when Spur is part of another project.
option(SPUR_INSTALL "Make install rules" ${PROJECT_IS_TOP_LEVEL})
if(NOT SPUR_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

set(spur_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/spur)

# A folder for a .pc file: below its prefix, unless the user gave an absolute one.
function(spur_pc_folder out folder)
  if(NOT IS_ABSOLUTE "${folder}")
    set(folder "\${prefix}/${folder}")
  endif()
  set(${out} "${folder}" PARENT_SCOPE)
endfunction()
spur_pc_folder(PC_LIBDIR "${CMAKE_INSTALL_LIBDIR}")
spur_pc_folder(PC_INCLUDEDIR "${CMAKE_INSTALL_INCLUDEDIR}")
# The prefix as seen from the file, so that `cmake --install --prefix` or a moved folder stays right.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(PC_PREFIX "\${pcfiledir}/${up}")
endif()

# One .pc file. Arguments: name, description, libraries after -l (first the library itself, then the
# static parts of it; linker options as they are), required packages. What a static library needs is
# public, so that plain `pkg-config --libs` links; --static would drag in what those packages were linked
# with themselves. A shared library asks nothing of those who link it.
function(spur_pkg_config name description libraries requires)
  list(POP_FRONT libraries first)
  set(PC_NAME ${name})
  set(PC_DESCRIPTION ${description})
  set(PC_LIBS -l${first})
  list(TRANSFORM libraries PREPEND "-l" REGEX "^[^-]")
  if(NOT BUILD_SHARED_LIBS)
    string(REPLACE ";" " " PC_REQUIRES "${requires}")
    string(REPLACE ";" " " libraries "${libraries}")
    string(APPEND PC_LIBS " ${libraries}")
  endif()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/spur.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT ${name})
endfunction()

# A library with what it is made of, as one export set and one component of the package.
function(spur_install_library component)
  install(TARGETS ${ARGN} EXPORT spur_${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT spur-${component}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT spur-${component}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT spur-${component}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT spur_${component} NAMESPACE spur:: FILE spur-${component}.cmake
    DESTINATION ${spur_package_dir} COMPONENT spur-${component})
endfunction()

if(NOT BUILD_SHARED_LIBS)
  spur_install_library(base spur_base spur_proto)
endif()
spur_install_library(log spur_log)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/base/include/spur ${PROJECT_SOURCE_DIR}/logger/include/spur
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT spur-log FILES_MATCHING PATTERN "*.h")
spur_pkg_config(spur-log "TensorBoard event files: writing and reading"
  "spur-log;spur-base;spur-proto;m;pthread" "libprotobuf-c;libpng;zlib")

if(SPUR_NN)
  spur_install_library(nn spur_nn)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/include/spur DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    COMPONENT spur-nn FILES_MATCHING PATTERN "*.h")
  # The compiler's OpenMP: gcc finds its own, clang's lies in a folder that others do not search.
  list(GET OpenMP_C_LIB_NAMES 0 openmp)
  if(NOT openmp STREQUAL "gomp")
    get_filename_component(folder "${OpenMP_${openmp}_LIBRARY}" DIRECTORY)
    set(openmp "-L${folder};${openmp}")
  endif()
  spur_pkg_config(spur-nn "A CNN and U-Net engine that trains on CPUs"
    "spur-nn;spur-base;spur-proto;m;pthread;${openmp}"
    "openblas;libcjson;libprotobuf-c;libpng;libjpeg;zlib")
endif()
if(SPUR_TRAINER)
  install(TARGETS spur RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT spur)
  if(NOT CMAKE_CROSSCOMPILING)
    install(FILES ${PROJECT_BINARY_DIR}/trainer/spur.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
      COMPONENT spur)
  endif()
  if(SPUR_NN AND NOT CMAKE_CROSSCOMPILING)
    install(FILES ${PROJECT_BINARY_DIR}/trainer/spur.ini.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5
      COMPONENT spur)
  endif()
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/spurConfig.cmake.in
  ${PROJECT_BINARY_DIR}/spurConfig.cmake INSTALL_DESTINATION ${spur_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/spurConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/spurConfig.cmake ${PROJECT_BINARY_DIR}/spurConfigVersion.cmake
  DESTINATION ${spur_package_dir} COMPONENT spur-log)
