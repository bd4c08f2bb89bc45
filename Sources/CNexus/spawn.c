#include "cnexus.h"

int nexus_placeholder(void) { return 0; }
