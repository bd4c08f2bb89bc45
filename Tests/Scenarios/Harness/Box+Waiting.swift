import CNexus
import Foundation
import Testing

extension Box {
    /// Returns the first status that satisfies `condition`; looks again whenever nexusd says that something happened.
    @discardableResult
    func wait(
        _ what: String, limit: Duration = .seconds(20), until condition: (StatusView) throws -> Bool
    ) throws -> StatusView {
        let events = try EventFeed(box: self)
        defer { events.end() }
        let deadline = ContinuousClock.now + limit
        while true {
            let status = try status()
            if try condition(status) { return status }
            let left = deadline - ContinuousClock.now
            guard left > .zero else {
                let states = status.children.map { "\($0.name)=\($0.state)(\($0.cause ?? ""))" }
                throw Trouble("waited \(limit) in vain for: \(what); \(states.joined(separator: " "))\n\(errors)")
            }
            // A second look each second covers what has no event (a process that appeared).
            events.next(within: min(left, .seconds(1)))
        }
    }

    /// Every enabled child is ready or done.
    func waitReady(_ limit: Duration = .seconds(30)) throws {
        let answer = try ctl("wait", "--ready", "--timeout", "\(limit.components.seconds)s")
        guard answer.status == 0 else {
            throw Trouble("not ready: \(answer.errors)\(try ctl("status").output)\n\(errors)")
        }
    }

    /// All these words stand in the child's log: a line comes there by its pipe and log-writer, behind whatever the child
    /// answers by another way. Returns the log.
    @discardableResult
    func waitLog(_ child: String, _ words: String...) throws -> String {
        var log = ""
        do {
            try wait("\(words) in the log of \(child)") { _ in
                log = try ctl("logs", child, "-n", "2000").output
                return words.allSatisfy(log.contains)
            }
        } catch { throw Trouble("\(error)\n\(log)") }
        return log
    }

    /// What nexusd said, oldest first, up to the last event of a run: it comes into the file by log-writer, behind whatever
    /// nexusd answers by another way.
    func events(untilLast message: String, ofRun run: String?) throws -> [Event] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        var events: [Event] = []
        try wait("the event '\(message)' of run \(run ?? "?")") { _ in
            events = try ctl("events", "-n", "10000", "--json").output.split(separator: "\n").map {
                try decoder.decode(Event.self, from: Data($0.utf8))
            }
            return events.contains { $0.message == message && $0.run == run }
        }
        return events
    }

    /// The child runs again under another pid and is ready.
    @discardableResult
    func waitReplaced(_ child: String, _ old: Int32, limit: Duration = .seconds(20)) throws -> Int32 {
        let status = try wait("\(child) replaced after pid \(old)", limit: limit) {
            guard let now = $0.child(child) else { return false }
            return now.state == "ready" && now.pid != nil && now.pid != old
        }
        return status.pid(child)!
    }
}

/// One line of `nexusctl events --json`.
struct Event: Decodable {
    var timeMs: Int64
    var message: String
    var child: String?
    var run: String?
}

/// `nexusctl events -f --json`, or another command that follows, to be woken by: its output is a FIFO of the box.
final class EventFeed {
    private let process: Running
    private let fifo: Int32

    init(box: Box, _ words: [String] = ["events", "-f", "--json"]) throws {
        let path = box.directory + "/events-\(UUID().uuidString)"
        guard mkfifo(path, 0o600) == 0 else { throw Trouble("mkfifo \(path): errno \(errno)") }
        // Both ways, so that opening waits for nobody.
        fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        process = try Running(
            Programs.path("nexusctl"), words,
            environment: ["NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state], output: path)
    }

    /// Waits for the next event, or for the time to pass; what was said, nothing in the latter case.
    @discardableResult
    func next(within limit: Duration) -> String {
        var look = pollfd(fd: fifo, events: Int16(POLLIN), revents: 0)
        guard poll(&look, 1, Int32(limit / .milliseconds(1))) == 1 else { return "" }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(fifo, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    func end() {
        kill(process.pid, SIGKILL)
        _ = process.waitForEnd(.seconds(5))
        close(fifo)
    }
}
