# SPDX-License-Identifier: Apache-2.0
# What is installed, in three components: program, library (shared) and development. All of it finds
# its place from where it lies, so any prefix, DESTDIR and moving the folder do.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/evonode)

install(TARGETS evonode EXPORT evonode-static COMPONENT development)
install(EXPORT evonode-static NAMESPACE evonode:: DESTINATION ${package} COMPONENT development)
if(EVN_SHARED)
  install(TARGETS evonode_shared EXPORT evonode-shared
    RUNTIME COMPONENT library
    LIBRARY COMPONENT library NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development)
  install(EXPORT evonode-shared NAMESPACE evonode:: DESTINATION ${package} COMPONENT development)
endif()
install(DIRECTORY include/evonode ${PROJECT_BINARY_DIR}/include/evonode TYPE INCLUDE
  COMPONENT development FILES_MATCHING PATTERN "*.h")
if(EVN_PROGRAM)
  install(TARGETS evonode-cli COMPONENT program)
endif()

# find_package(evonode) ----------------------------------------------------------------------------
list(JOIN EVN_MODULES " " EVN_MODULES_TEXT)
configure_package_config_file(cmake/evonodeConfig.cmake.in evonodeConfig.cmake
  INSTALL_DESTINATION ${package} NO_SET_AND_CHECK_MACRO)
# SameMinorVersion as long as a minor version may change the interface.
write_basic_package_version_file(evonodeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/evonodeConfig.cmake
  ${PROJECT_BINARY_DIR}/evonodeConfigVersion.cmake DESTINATION ${package} COMPONENT development)
install(FILES cmake/csv.cmake RENAME evonodeCsv.cmake DESTINATION ${package} COMPONENT development)

# pkg-config evonode -------------------------------------------------------------------------------
set(folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
foreach(name LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${name}}")
    set(EVN_PC_${name} "${CMAKE_INSTALL_${name}}")
  else()
    set(EVN_PC_${name} "\${prefix}/${CMAKE_INSTALL_${name}}")
  endif()
endforeach()
if(IS_ABSOLUTE "${folder}")
  set(EVN_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH up "/prefix/${folder}" "/prefix")
  string(REGEX REPLACE "/$" "" EVN_PC_PREFIX "\${pcfiledir}/${up}")
endif()
# Flags, and no Requires.private: pkg-config would ask for the .pc files of its modules, which are in
# development packages, of whoever links the shared library too.
set(EVN_PC_PRIVATE ${EVN_DEPENDENCIES_LDFLAGS} -lcsv ${EVN_CLBLAST_MODULE_LDFLAGS}
  ${EVN_PROTOBUF_MODULE_LDFLAGS})
# Not every OpenCL loader brings a .pc file; without one it is linked by its place.
pkg_check_modules(EVN_OPENCL_MODULE QUIET OpenCL)
if(EVN_OPENCL_MODULE_FOUND)
  list(APPEND EVN_PC_PRIVATE ${EVN_OPENCL_MODULE_LDFLAGS})
elseif(APPLE)
  list(APPEND EVN_PC_PRIVATE -framework OpenCL)
else()
  list(APPEND EVN_PC_PRIVATE ${OpenCL_LIBRARIES})
endif()
list(JOIN EVN_PC_PRIVATE " " EVN_PC_PRIVATE)
configure_file(cmake/evonode.pc.in evonode.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/evonode.pc DESTINATION ${folder} COMPONENT development)

# Networks to begin one of one's own with; the library has them built in.
install(DIRECTORY networks DESTINATION ${CMAKE_INSTALL_DATADIR}/evonode COMPONENT program
  FILES_MATCHING PATTERN "*.json")

# Documentation: manual pages where they were built, and what the README leads to --------------------
install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
  COMPONENT program OPTIONAL FILES_MATCHING PATTERN "*.1")
install(FILES README.md CHANGELOG.md CONTRIBUTING.md CITATION.cff LICENSE TYPE DOC
  COMPONENT program OPTIONAL)
install(DIRECTORY docs TYPE DOC COMPONENT program
  FILES_MATCHING PATTERN "*.md" PATTERN "*.png" PATTERN "*.svg")
install(FILES datasets/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/datasets COMPONENT program)
# The examples, which are a project of their own there: cmake -S examples -B /tmp/examples
install(DIRECTORY examples TYPE DOC COMPONENT development
  FILES_MATCHING PATTERN "*.c" PATTERN "CMakeLists.txt")

if(PROJECT_IS_TOP_LEVEL)
  include(cmake/packages.cmake)
endif()
