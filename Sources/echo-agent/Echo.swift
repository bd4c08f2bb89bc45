import ArgumentParser
import CNexus
import Foundation

/// The command line: `echo-agent serve …`, in opencode's grammar.
@main
struct Echo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-agent",
        abstract: "Stands in for opencode where none is installed: speaks its HTTP API, answers by rule, and says so.",
        version: Line.v1.version,
        subcommands: [Serve.self])

    /// opencode ends with status 1 whatever is wrong, usage errors too; so does its stand-in.
    static func main() async {
        nexus_fill_standard_descriptors()
        do {
            var command = try parseAsRoot()
            if let serve = command as? Serve {
                try await serve.run()
            } else {
                try command.run()
            }
        } catch let error as StartError {
            stop("echo-agent: \(error)")
        } catch {
            let text = fullMessage(for: error)
            guard exitCode(for: error).isSuccess else { stop(text) }
            print(text)
        }
    }

    private static func stop(_ words: String) -> Never {
        // One that is closed or full is no reason to crash on the way out.
        try? FileHandle.standardError.write(contentsOf: Data((words + "\n").utf8))
        Foundation.exit(1)
    }
}
