import Chat
import Foundation
import Wire
import WorkerKit

/// Hears from nexusd which children are parked.
struct TreeEar: Sendable {
    let bus: Bus
    let book: WordBook

    /// Before nexusd is asked again when it did not answer, or this reader was too slow.
    private static let pause: Duration = .seconds(5)

    private struct Event: Decodable {
        var message_id: String?
        /// Events that this reader missed.
        var missed: Int?

        /// Somebody may be parked after it, or not any more; or what was missed may have told so.
        var isTelling: Bool {
            switch message_id.flatMap(EventKind.init(rawValue:)) {
            case .parked, .groupParked, .ready, .ended, .reloaded: true
            case _: missed != nil
            }
        }
    }

    private struct Tree: Decodable {
        struct Child: Decodable {
            var name: String
            var state: String
            var cause: String?
            var next_try_ms: Int64?
        }
        var children: [Child]
    }

    /// Until its task is cancelled. Events say when to look; what is so is read from the status, which is whole.
    func run() async {
        while !Task.isCancelled {
            do {
                let events = try await bus.follow("events")
                try await look()
                for try await frame in events {
                    let event = try? JSONDecoder().decode(Event.self, from: Data(frame))
                    guard event?.isTelling == true else { continue }
                    try await look()
                }
            } catch {
                if Task.isCancelled { return }
                Log.debug("word: nexusd's events are asked for again: \(error)")
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func look() async throws {
        let tree = try JSONDecoder().decode(Tree.self, from: Data(try await bus.ask("status")))
        // A parked child that is being tried once more is told again only when that came to something.
        let isBack: Set<String> = ["ready", "done", "off"]
        let parked = tree.children.filter { $0.state == "parked" }
        book.hear(
            parked: parked.map {
                .parked(child: $0.name, cause: $0.cause ?? "unknown", isTriedAgain: $0.next_try_ms != nil)
            }, back: tree.children.filter { isBack.contains($0.state) }.map(\.name))
    }
}
