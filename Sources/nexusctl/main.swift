import Glibc

exit(Output.judged(NexusCtl.run(Array(CommandLine.arguments.dropFirst()))))
