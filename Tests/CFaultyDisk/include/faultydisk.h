#ifndef FAULTYDISK_H
#define FAULTYDISK_H

/* A VFS of SQLite (https://sqlite.org/vfs.html) in front of the one of the system, in which the N-th call on the files below a
   directory fails, once or for ever after. */

enum nexus_disk_fault {
    NEXUS_DISK_FULL,   /* writes, and files that are to be made: SQLITE_FULL, SQLITE_CANTOPEN */
    NEXUS_DISK_ERROR,  /* every call: the SQLITE_IOERR that fits */
    NEXUS_DISK_TORN,   /* writes: the first half reaches the file, then SQLITE_IOERR_WRITE */
};

/* Registers it as the default VFS. SQLITE_OK, or what went wrong. */
int nexus_disk_install(void);

/* From now on; `below` is a directory. `nth` counts from 1 the calls that the fault concerns; 0: none fails. */
void nexus_disk_fail(const char *below, enum nexus_disk_fault fault, int nth, int for_ever);

/* Calls that it concerned, and how many of them failed, since nexus_disk_fail. */
int nexus_disk_calls(void);
int nexus_disk_failures(void);

#endif
