# The few functions every directory's CMakeLists.txt is made of.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(OOMBOX_MOLD mold)

add_library(oombox_flags INTERFACE)
target_include_directories(oombox_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(oombox_flags INTERFACE OOMBOX_VERSION="${PROJECT_VERSION}")
target_compile_options(oombox_flags INTERFACE
  # missing-field-initializers fires on designated initializers that leave out what has a good default.
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  -Wno-missing-field-initializers
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.
  $<$<BOOL:${OOMBOX_WERROR}>:-Werror>)
if(OOMBOX_HARDEN)
  target_compile_options(oombox_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -D_GLIBCXX_ASSERTIONS)
  target_link_options(oombox_flags INTERFACE -Wl,-z,relro,-z,now -pie)
endif()
if(OOMBOX_SANITIZE)
  # Global: a sanitizer must see every object, generated code included.
  add_compile_options(-fsanitize=${OOMBOX_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${OOMBOX_SANITIZE})
endif()
if(OOMBOX_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# oombox_library(name SOURCES a.cc ... PUBLIC dep ... PRIVATE dep ...)
function(oombox_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC oombox_flags ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

# oombox_executable(name SOURCES a.cc ... DEPS dep ...)
function(oombox_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE oombox_flags ${arg_DEPS})
  target_link_options(${name} PRIVATE ${OOMBOX_PROGRAM_LINK_OPTIONS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()
