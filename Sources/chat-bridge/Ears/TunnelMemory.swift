import ChatWeb
import Foundation
import WorkerKit

/// What tunnel-worker said last, over restarts of chat-bridge: as long as tunnel-worker is away nobody else knows whether `[chat] url`
/// leads here through a tunnel.
struct TunnelMemory: Sendable {
    /// Bytes of the file; what is longer is none of ours.
    private static let limit = 65_536

    private let path: String

    /// - Parameter directory: of the conversations.
    init(in directory: String) { path = directory + "/tunnel.json" }

    /// Nil: nothing was said, or it cannot be read.
    func read() -> TunnelSight? {
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.limit else { return nil }
        return TunnelSight(Array(data))
    }

    /// Written when something about it is another that outlasts the moment.
    func keep(_ sight: TunnelSight) {
        let lasting = sight.lasting
        guard read() != lasting, let data = try? JSONEncoder().encode(lasting) else { return }
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            Log.debug("what tunnel-worker said is not kept: \(error)")
        }
    }
}
