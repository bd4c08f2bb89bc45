import Glibc

exit(NexusCtl.run(Array(CommandLine.arguments.dropFirst())))
