#include "tools/oombox/run.h"

int main(int argc, char** argv) { return oombox::RunOombox(argc, argv); }
