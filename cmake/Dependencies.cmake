# Every library comes from Debian 12 (tools/dev/packages.txt); nothing is downloaded here.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(tl-expected REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(OpenSSL REQUIRED)
pkg_check_modules(libbpf REQUIRED IMPORTED_TARGET libbpf>=1.1)
pkg_check_modules(libelf REQUIRED IMPORTED_TARGET libelf)
pkg_check_modules(libcap_ng REQUIRED IMPORTED_TARGET libcap-ng)
# Not as "re2": gRPC looks for that name itself.
pkg_check_modules(libre2 REQUIRED IMPORTED_TARGET re2)

# What only archives need: a shared libbpf brings its own, and gRPC's re2 is a flag, -lre2, without a path.
target_link_libraries(PkgConfig::libbpf INTERFACE PkgConfig::libelf ZLIB::ZLIB)
set_property(TARGET re2::re2 PROPERTY INTERFACE_LINK_LIBRARIES PkgConfig::libre2)
include(StaticLibraries)

# After it, and shared: Debian has no archives of them, and none of them uses what is linked in, but zlib.
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
pkg_check_modules(smartcols REQUIRED IMPORTED_TARGET smartcols)
