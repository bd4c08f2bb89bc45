import SupervisorCore
import System
import Wire

/// nexusd's end of the link to one run of log-writer: packets in order, never waited for.
///
/// It keeps the other end as well. What a log-writer that died had not read is then still there and goes to the next one;
/// and no word is ever lost with it.
final class LogLink {
    /// Raised by any change of its words that a log-writer of before would not understand: one goes on while nexusd goes on as
    /// another program.
    static let version: UInt16 = 1

    let run: RunID
    let socket: OwnedFD
    let kept: OwnedFD
    /// log-writer said that it serves.
    var isReady = false
    /// It was given the streams.
    var hasStreams = false
    /// Something waits for room in the socket.
    var wantsRoom = false
    /// The poller watches for that.
    var isWatchedForRoom = false
    /// The kernel has answered something else than that it has to be waited for (ENOMEM, ENOBUFS): the socket is ready all
    /// the same, and would wake the loop without end.
    var hasTrouble = false
    /// Until then the socket is left alone.
    var restsUntil: Instant?

    /// How long it is left alone.
    static let pause: Duration = .milliseconds(100)

    init(run: RunID, ours: consuming OwnedFD, theirs: consuming OwnedFD) {
        self.run = run
        socket = consume ours
        kept = consume theirs
    }

    var generation: EventSource.Generation { EventSource.Generation(run) }

    /// Sends one packet; false when there is no room now, or when the link is broken, which log-writer's end will tell.
    func send(_ packet: [UInt8], passing descriptors: [Int32], _ kernel: any Kernel) -> Bool {
        packet.withUnsafeBytes { bytes in
            do throws(Errno) {
                _ = try kernel.send(socket, bytes, passing: descriptors, to: nil)
                return true
            } catch {
                if error != .again { hasTrouble = true }
                return false
            }
        }
    }

    /// Takes one report; nil when there is none now, or when the link is broken, which log-writer's end will tell. A
    /// packet that is no report is skipped: log-writer and nexusd may be of different builds during an upgrade.
    func receive(_ kernel: any Kernel, _ scratch: UnsafeMutableRawBufferPointer) -> LogReport? {
        do throws(Errno) {
            while true {
                let message = try kernel.receive(socket, into: scratch)
                guard message.count > 0 else { return nil }
                let packet = [UInt8](UnsafeRawBufferPointer(scratch)[..<message.count])
                if let report = try? LogReport(packet: packet) { return report }
            }
        } catch {
            if error != .again { hasTrouble = true }
            return nil
        }
    }

    /// The events among the packets that the other side never read, in order. For a log-writer that has ended.
    func unreadEvents(_ kernel: any Kernel, _ scratch: UnsafeMutableRawBufferPointer) -> [[UInt8]] {
        var events: [[UInt8]] = []
        var failures = 0
        while failures < Self.failureLimit {
            do throws(Errno) {
                let message = try kernel.receive(kept, into: scratch)
                guard message.count > 0 else { break }
                let packet = [UInt8](UnsafeRawBufferPointer(scratch)[..<message.count])
                if LogOrder.share(packet) != nil { events.append(packet) }
            } catch {
                if error == .again { break }
                // Memory may be short for a moment, and these are nowhere else.
                failures += 1
            }
        }
        return events
    }

    /// Tries to read what is nowhere else.
    private static let failureLimit = 8
}
