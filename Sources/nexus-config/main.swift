import ArgumentParser
import CNexus
import Glibc
import Wire

nexus_fill_standard_descriptors()
// Usage errors end with 2, as everything does that is refused; ArgumentParser's own code would be 64.
do {
    var command = try NexusConfig.parseAsRoot()
    try command.run()
} catch let refusal as Refusal {
    let words = ControlText.escaped(refusal.words, keepNewlines: true)
    try? Output.write(Array((words + "\n").utf8), to: STDERR_FILENO)
    exit(2)
} catch let unwritten as Unwritten {
    fail(unwritten)
} catch let code as ExitCode {
    exit(code.rawValue)
} catch {
    let isHelp = NexusConfig.exitCode(for: error).isSuccess
    let message = ControlText.escaped(NexusConfig.fullMessage(for: error), keepNewlines: true) + "\n"
    do {
        try Output.write(Array(message.utf8), to: isHelp ? STDOUT_FILENO : STDERR_FILENO)
    } catch let unwritten as Unwritten {
        if isHelp { fail(unwritten) }
    }
    exit(isHelp ? 0 : 2)
}

/// Nothing was refused, and yet nobody was told.
func fail(_ unwritten: Unwritten) -> Never {
    try? Output.write(Array((unwritten.words + "\n").utf8), to: STDERR_FILENO)
    exit(1)
}
