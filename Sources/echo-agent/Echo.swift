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
            show(text + "\n")
        }
    }

    /// Not by print: nobody would hear of what its buffer could not be rid of at the end.
    private static func show(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                stop("echo-agent: cannot write to standard output: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func stop(_ words: String) -> Never {
        // One that is closed or full is no reason to crash on the way out.
        try? FileHandle.standardError.write(contentsOf: Data((words + "\n").utf8))
        Foundation.exit(1)
    }
}
