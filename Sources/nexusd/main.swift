import Glibc
import Runtime

exit(Nexusd.main(CommandLine.arguments.dropFirst()))
