import Plan
import SupervisorCore

@testable import Runtime
@testable import Wire

extension Target {
    /// The bus' and the control socket's frames: the same ones wherever the stream is split.
    static let frames = Target(
        name: "frames",
        feed: { bytes in
            let (whole, first, second) = split(bytes)
            must(decode([whole]) == decode([first, second]), "it matters where the stream is split")
        },
        seeds: {
            let frame = Frame(.request, peer: .nexusd, id: FrameID(rawValue: 7), payload: Array("status".utf8))
            return [
                [8] + frame.bytes,
                [40] + frame.bytes + Frame(.event, peer: .nexusd, id: .none, payload: [1, 2, 3]).bytes,
            ]
        })

    private static func decode(_ pieces: [ArraySlice<UInt8>]) -> [Frame] {
        var decoder = FrameDecoder()
        var frames: [Frame] = []
        for piece in pieces {
            let isGood = piece.withUnsafeBytes { bytes in
                var rest = bytes
                do {
                    while let frame = try decoder.next(from: &rest) { frames.append(frame) }
                    return true
                } catch { return false }
            }
            if !isGood { break }
        }
        return frames
    }

    /// What workers write, through all decisions of the bus: input bytes say who writes how much of the rest.
    static let router = Target(
        name: "router",
        feed: { bytes in
            let peers = [PeerID(rawValue: 1), PeerID(rawValue: 2)]
            var router = Router(workers: [
                Router.Worker(peer: peers[0], name: "a", peers: [peers[1]]),
                Router.Worker(peer: peers[1], name: "b", peers: []),
            ])
            var now = Instant(nanoseconds: 1_000_000_000)
            for peer in peers { router.workerUp(peer, at: now) }
            var rest = bytes[...]
            while let first = rest.popFirst() {
                let peer = peers[Int(first & 1)]
                let count = min(rest.count, Int(first >> 1))
                rest.prefix(count).withUnsafeBytes { router.received($0, from: peer, at: now) }
                rest = rest.dropFirst(count)
                now = now + .milliseconds(Int64(first))
                router.tick(now)
                for case .endLink(let peer, _) in router.takeDecisions() { router.linkDown(peer, at: now) }
                for peer in router.takeWritable() { _ = router.flush(peer, at: now) { $0.count } }
            }
            for peer in peers { router.linkDown(peer, at: now) }
            must(router.openCount == 0, "a request outlives all links")
        },
        seeds: {
            let hello = Frame(.hello, peer: .nexusd, id: .none, payload: Array("1 1 -".utf8)).bytes
            let asks = Frame(.request, peer: PeerID(rawValue: 2), id: FrameID(epoch: Epoch(rawValue: 1), count: 1))
                .bytes
            return [
                [UInt8(hello.count << 1)] + hello + [UInt8(hello.count << 1 | 1)] + hello + [UInt8(asks.count << 1)]
                    + asks
            ]
        })

    /// Orders to log-writer and its reports.
    static let logLink = Target(
        name: "log-link",
        feed: { bytes in
            if let order = try? LogOrder(packet: bytes) { must(order.packet() == bytes, "another order") }
            if let report = try? LogReport(packet: bytes) { must(report.packet() == bytes, "another report") }
        },
        seeds: {
            [
                LogOrder.event(LogEvent(priority: 6, messageID: "m", message: "hello", child: "a", run: nil)).packet()
            ]
        })

    /// A request to nexusd: a verb or words that say what would have been right.
    static let control = Target(
        name: "control",
        feed: { bytes in
            do throws(VerbError) {
                _ = try Verb(bytes, names: names)
            } catch {
                must(!error.message.isEmpty, "refused without a word")
            }
        },
        seeds: {
            ["status a", "restart group:g --wait", "signal a HUP", "wait-ready a b", "events", "reload", "why a"].map {
                Array($0.utf8)
            }
        })

    private static let names = TreeNames(configured(Array(tomls[1].utf8)) ?? Plan())

    /// sd_notify datagrams.
    static let notify = Target(
        name: "notify",
        feed: { bytes in
            for case .status(let text) in NotifyWord.parse(bytes) {
                must(text.utf8.count <= NotifyWord.statusLimit, "a status beyond its limit")
                must(
                    text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "control characters")
            }
        },
        seeds: {
            ["READY=1\nSTATUS=fine", "WATCHDOG_USEC=1000000\nWATCHDOG=1", "EXTEND_TIMEOUT_USEC=5", "MAINPID=4"].map {
                Array($0.utf8)
            }
        })
}
