import Glibc
import LogStore

// log-writer --directory DIR [--no-journal]: descriptor 3 is the log link (docs/logs.md).
exit(LogWriterCommand.run(Array(CommandLine.arguments.dropFirst())))
