import Foundation
import Hummingbird
import HummingbirdCore
import NIOCore

/// Listens, says so, serves.
struct Server: Sendable {
    /// Connections at once; more wait in the kernel's queue.
    static let connectionLimit = 256

    /// What opencode tries first when it may choose.
    static let preferredPort = 4096

    let agent: EchoAgent
    let credentials: Credentials
    let hostname: String

    /// Serves until the process ends. Port 0 is opencode's: 4096 first, then any free one.
    func run(port: Int) async throws {
        do {
            try await serve(port: port == 0 ? Self.preferredPort : port)
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            guard port == 0 else {
                throw StartError("port \(port) of \(hostname) is in use; give another one, or --port 0 for any")
            }
            try await serve(port: 0)
        } catch let error as IOError {
            throw StartError("cannot listen on \(hostname): \(error)")
        }
    }

    private func serve(port: Int) async throws {
        let line = agent.broker.line
        let gate = Gate(credentials: credentials, line: line)
        let app = Application(
            router: line == .v1 ? Routes(agent: agent).router(gate: gate) : V2Routes(agent: agent).router(gate: gate),
            configuration: .init(
                address: .hostname(hostname, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionLimit)),
            onServerRunning: { [hostname] channel in
                let url = "http://\(hostname):\(channel.localAddress?.port ?? port)"
                // Whoever closed it does not want to know, and is served all the same.
                try? FileHandle.standardOutput.write(contentsOf: Data(line.readyLine(url).utf8))
            })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await app.run() }
            group.addTask { [agent] in
                while true {
                    try await Task.sleep(for: agent.broker.line.heartbeat)
                    agent.broker.beat()
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }
}
