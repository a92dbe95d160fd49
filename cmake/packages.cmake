# SPDX-License-Identifier: Apache-2.0
# cpack: a .tar.gz of everything, and where there is dpkg three .deb packages, cut as Debian cuts a
# library: evonode (the program), libevonode0.1 (the soname in the name, so that versions can be
# installed side by side) and libevonode-dev.
set(CPACK_PACKAGE_VENDOR "evonode")
if(NOT CPACK_PACKAGE_CONTACT) # whoever hands packages on names an address: -DCPACK_PACKAGE_CONTACT=
  set(CPACK_PACKAGE_CONTACT "The evonode maintainers <maintainers@evonode.invalid>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_RESOURCE_FILE_README ${PROJECT_SOURCE_DIR}/README.md)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGE_FILE_NAME
  ${PROJECT_NAME}-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_GENERATOR TGZ)
set(CPACK_COMPONENTS_ALL program library development)
if(NOT EVN_SHARED)
  list(REMOVE_ITEM CPACK_COMPONENTS_ALL library)
endif()
if(NOT EVN_PROGRAM)
  list(REMOVE_ITEM CPACK_COMPONENTS_ALL program)
endif()

find_program(EVN_DPKG_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(EVN_DPKG_SHLIBDEPS)
if(EVN_DPKG_SHLIBDEPS)
  list(APPEND CPACK_GENERATOR DEB)
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(about "evonode trains and runs ResNets, Neural ODEs and Neural ODEs whose weights evolve
(NODE-EW) on any OpenCL device, CPUs too.
")

# The drawings are PlPlot's, by a driver that it loads at run time, as the OpenCL loader does.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME evonode)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS plplot-driver-cairo)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "${about}This is the program.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libevonode${EVN_SOVERSION})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "${about}This is the shared library.")

# What the static library and cl.h need.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libevonode-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "ocl-icd-opencl-dev | opencl-dev, opencl-c-headers, libjansson-dev, libxxhash-dev, zlib1g-dev, libplplot-dev, libcsv-dev")
if(EVN_SHARED)
  string(PREPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libevonode${EVN_SOVERSION} (= ${PROJECT_VERSION}), ")
endif()
if(EVN_CLBLAST_MODULE_FOUND)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", libclblast-dev")
endif()
if(EVN_PROTOBUF_MODULE_FOUND)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", libprotobuf-c-dev")
endif()
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
  "${about}These are the headers, the static library, and what CMake and pkg-config read.")

# Each package brings the licence under its own name; nothing but a package has these files.
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} name)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${name}_PACKAGE_NAME}
    RENAME copyright COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
include(CPack)
