import Chance
import Foundation
import Glibc
import Testing
import Wire

/// chat-bridge is stopped while strangers connect.
@Suite(.timeLimit(.minutes(10)), .serialized)
struct BridgeStormTests {
    /// A connection that was accepted and not looked at when the server was stopped once ended the process with SIGILL.
    @Test func stoppedUnderAStormOfConnections_endsInOrder_andServesAgain() throws {
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["NEXUS_LONG"] == "1" ? 200 : 10
        let seed = Chance.seed()
        print("seed \(seed)")
        var random = SplitMix(seed: seed)
        let directory = FileManager.default.temporaryDirectory.path + "/nexus-storm-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let storm = ConnectionStorm(port: ConnectionStorm.freePort(), seed: seed)
        defer { storm.end() }
        for round in 0..<rounds {
            let bridge = try BridgeProcess(
                directory: directory, epoch: UInt32(round + 1), listen: "127.0.0.1:\(storm.port)")
            try #require(
                storm.wait(for: .random(in: 1...300, using: &random)), "seed \(seed): nobody gets in in round \(round)")
            // nexusd's word before it, or the signal alone.
            if Bool.random(using: &random) { bridge.write(Frame(.drain, peer: .nexusd, id: .none)) }
            bridge.terminate()
            let status = bridge.wait()
            #expect(status == 0, "seed \(seed): wait status \(status) in round \(round)")
        }
        #expect(storm.connections > rounds)
        let bridge = try BridgeProcess(
            directory: directory, epoch: UInt32(rounds + 1), listen: "127.0.0.1:\(storm.port)")
        #expect(storm.wait(for: 100))
        bridge.terminate()
        #expect(bridge.wait() == 0)
    }
}
