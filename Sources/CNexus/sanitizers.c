// What a program says of itself to the sanitizer that scripts/checks/sanitizers builds it with. In the program and not in
// an environment variable, since nexusd's children get a clean environment. A report is a file, for the same reason: a
// log-writer that ends itself is only started again.
#ifdef NEXUS_SANITIZER
#if NEXUS_SANITIZER == 1
const char *__asan_default_options(void);
// No look for leaks at the end: nexusd and log-writer end while all that they hold is still in use. scripts/soak looks.
const char *__asan_default_options(void) { return "detect_leaks=0:log_path=" NEXUS_SANITIZER_REPORTS; }
#else
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "log_path=" NEXUS_SANITIZER_REPORTS; }
#endif
#endif
