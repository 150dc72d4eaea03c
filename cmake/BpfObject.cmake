# bpf_object(<name>): compiles bpf/<name>.bpf.c with clang for the BPF target and generates the
# libbpf skeleton bpf/<name>.skel.h with bpftool. Target: bpf_<name> (interface: the skeleton).
# bpf_object(<name> VARIANT <v> FLAGS ...): the same source compiled otherwise, as bpf_<name>_<v>.
find_program(OOMBOX_BPF_CLANG NAMES clang clang-14 REQUIRED)
find_program(OOMBOX_BPFTOOL NAMES bpftool PATHS /usr/sbin REQUIRED)
find_program(OOMBOX_LLVM_STRIP NAMES llvm-strip llvm-strip-14 REQUIRED)

function(bpf_object name)
  cmake_parse_arguments(arg "" "VARIANT" "FLAGS" ${ARGN})
  set(source ${PROJECT_SOURCE_DIR}/bpf/${name}.bpf.c)
  set(gen ${PROJECT_BINARY_DIR}/gen)
  set(target bpf_${name})
  if(arg_VARIANT)
    set(gen ${PROJECT_BINARY_DIR}/gen_${arg_VARIANT})
    set(target bpf_${name}_${arg_VARIANT})
  endif()
  set(out ${gen}/bpf)
  file(MAKE_DIRECTORY ${out})
  add_custom_command(
    OUTPUT ${out}/${name}.bpf.o
    COMMAND ${OOMBOX_BPF_CLANG} -target bpf -D__TARGET_ARCH_x86 -g -O2 -Wall -Wextra -Werror
            -Wno-unused-parameter -Wno-missing-declarations ${arg_FLAGS}
            -fdebug-prefix-map=${PROJECT_SOURCE_DIR}=.
            -I${PROJECT_SOURCE_DIR} -idirafter /usr/include/x86_64-linux-gnu
            -MD -MF ${out}/${name}.d -c ${source} -o ${out}/${name}.bpf.o
    COMMAND ${OOMBOX_LLVM_STRIP} -g ${out}/${name}.bpf.o
    DEPENDS ${source} DEPFILE ${out}/${name}.d
    COMMENT "BPF ${name}.bpf.c" VERBATIM)
  add_custom_command(
    OUTPUT ${out}/${name}.skel.h
    COMMAND ${OOMBOX_BPFTOOL} gen skeleton ${out}/${name}.bpf.o name ${name}_bpf > ${out}/${name}.skel.h
    DEPENDS ${out}/${name}.bpf.o
    COMMENT "skeleton ${name}.skel.h" VERBATIM)
  add_custom_target(${target}_files DEPENDS ${out}/${name}.skel.h)
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE ${gen})
  target_link_libraries(${target} INTERFACE PkgConfig::libbpf)
  add_dependencies(${target} ${target}_files)
endfunction()
