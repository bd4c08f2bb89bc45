import CNexus
import Glibc

nexus_fill_standard_descriptors()
exit(Output.judged(NexusCtl.run(Array(CommandLine.arguments.dropFirst()))))
