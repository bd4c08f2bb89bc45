import AgentModel
import Foundation
import Outgoing
import Synchronization
import Testing

@testable import OpenCode

/// A stranger on opencode's port is not given the password.
@Suite(.timeLimit(.minutes(1)))
struct ForeignListenerTests: Sendable {
    @Test func stranger_getsNotAByteAndIsNamed() async throws {
        let heard = Mutex([UInt8]())
        let listener = try Listener { connection in
            var byte: UInt8 = 0
            while read(connection, &byte, 1) == 1 { heard.withLock { $0.append(byte) } }
        }
        let (states, tell) = AsyncStream<AgentConnection.State>.makeStream()
        let connection = AgentConnection(try CurlLoop()) { tell.yield($0) }
        let other = geteuid() + 1
        await connection.update(AgentEndpoint(port: listener.port, password: "secret", owner: other))
        for await case .foreign(let words) in states {
            #expect(words.hasPrefix("foreign listener: port \(listener.port) belongs to uid \(geteuid())"))
            #expect(words.contains("opencode's uid \(other)"))
            break
        }
        guard case .unhealthy(let why) = await connection.health() else { return #expect(Bool(false)) }
        #expect(why.hasPrefix("foreign listener"))
        let failure = await #expect(throws: AgentFailure.self) {
            try await connection.readyClient(within: .milliseconds(10))
        }
        // It may be over soon: chat-bridge keeps its turns.
        #expect(failure?.code == .unavailable && failure?.message.contains("nothing was handed over") == true)
        #expect(heard.withLock { $0 } == [])
        await connection.update(nil)
        listener.stop()
    }

    @Test(arguments: EchoAgentProcess.Line.allCases)
    func promptToAStranger_isNotHandedOver(line: EchoAgentProcess.Line) async throws {
        let listener = try Listener { connection in
            var byte: UInt8 = 0
            while read(connection, &byte, 1) == 1 {}
        }
        let endpoint = AgentEndpoint(port: listener.port, password: "secret", owner: geteuid() + 1)
        let calls: any OpenCodeLine =
            switch line {
            case .v1: V1Calls(loop: try CurlLoop(), endpoint: endpoint)
            case .v2: V2Calls(loop: try CurlLoop(), endpoint: endpoint, version: "2.1.2")
            }
        let failure = await #expect(throws: AgentFailure.self) {
            try await calls.prompt(
                AgentSessionID(rawValue: "ses_1"), id: "msg_1", text: "private words", choice: TurnChoice(),
                directory: "/srv/work")
        }
        #expect(failure?.code == .unavailable)
        listener.stop()
    }

    /// Both ways to ask the kernel, before and after somebody takes the connection, and when nobody listens.
    @Test func owner_isThatOfTheConnection() throws {
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let port = try bound(listening)
        try #require(listen(listening, 1) == 0)
        let near = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Listener.address(port: port)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(near, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        let local = try portOf(near)
        var taken: Int32 = -1
        for isTaken in [false, true] {
            if isTaken { taken = accept(listening, nil, nil) }
            #expect(ListenerOwner.uid(port: port, localPort: local) == geteuid())
            #expect(ListenerOwner.table(port: port, localPort: local) == geteuid())
        }
        for descriptor in [near, taken, listening] { close(descriptor) }
        let free = UInt16(try Listener.freePort())
        #expect(ListenerOwner.uid(port: free, localPort: 1) == nil)
    }

    private func bound(_ descriptor: Int32) throws -> UInt16 {
        var address = Listener.address(port: 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        return try portOf(descriptor)
    }

    private func portOf(_ descriptor: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        try #require(result == 0)
        return UInt16(bigEndian: address.sin_port)
    }
}
