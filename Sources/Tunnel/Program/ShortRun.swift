import Foundation
import Glibc

/// A run of a program that ends by itself in a moment, in a clean environment; killed when it does not.
struct ShortRun: Sendable {
    var program: String
    var arguments: [String]
    var limit: Duration = .seconds(10)

    /// How it ended and what it said.
    struct End: Hashable, Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Longest output that is kept, in bytes, of stdout and stderr each.
    static let outputLimitBytes = 65_536

    /// Carries it out.
    func end() async throws(TunnelError) -> End {
        let result: Result<End, TunnelError> = await withCheckedContinuation { continuation in
            // A thread of Dispatch's may block; the cooperative pool may not.
            DispatchQueue.global().async { continuation.resume(returning: perform()) }
        }
        return try result.get()
    }

    private func perform() -> Result<End, TunnelError> {
        let (output, errors) = (Pipe(), Pipe())
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        do { try process.run() } catch {
            return .failure(TunnelError("cannot start \(program): \(error.localizedDescription)"))
        }
        let pid = process.processIdentifier
        let killer = DispatchWorkItem { kill(pid, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + Double(limit / .milliseconds(1)) / 1000, execute: killer)
        let said = Self.readBoth(output, errors)
        process.waitUntilExit()
        killer.cancel()
        guard process.terminationReason == .exit else {
            return .failure(
                TunnelError("\(program) \(arguments.joined(separator: " ")) did not end within \(limit), or crashed"))
        }
        return .success(End(status: process.terminationStatus, output: said.output, errors: said.errors))
    }

    /// Both at once: one that fills while the other is read would never end.
    private static func readBoth(_ output: Pipe, _ errors: Pipe) -> (output: String, errors: String) {
        var texts: [Int32: [UInt8]] = [:]
        var open = [output, errors].map(\.fileHandleForReading.fileDescriptor)
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while !open.isEmpty {
            var looks = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&looks, nfds_t(looks.count), -1) > 0 || errno == EINTR else { break }
            for look in looks where look.revents != 0 {
                let count = read(look.fd, &buffer, buffer.count)
                if count > 0 {
                    texts[look.fd, default: []] += buffer.prefix(
                        min(count, outputLimitBytes - (texts[look.fd]?.count ?? 0)))
                } else if count == 0 || errno != EINTR {
                    open.removeAll { $0 == look.fd }
                }
            }
        }
        func text(_ pipe: Pipe) -> String {
            String(decoding: texts[pipe.fileHandleForReading.fileDescriptor] ?? [], as: UTF8.self)
        }
        return (text(output), text(errors))
    }
}
