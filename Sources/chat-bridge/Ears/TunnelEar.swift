import Chat
import ChatWeb
import Foundation
import WorkerKit

/// Hears from tunnel-worker under which address the chat is reached: by its event `{"event":"address","url":"https://…","url_lasts":…}`,
/// and by the `url` of its answer to `describe`, which is asked for whenever one of the two has started.
struct TunnelEar: Sendable {
    /// Its name in Supervisor.toml, and in this child's `peers`: nobody else is believed.
    static let worker = "tunnel-worker"
    /// Bytes of an address.
    private static let limit = 512

    private let bus: Bus
    private let name: TunnelName
    private let book: WordBook?
    private let events: AsyncStream<BusEvent>

    /// Listens from now on.
    /// - Parameter book: nil: no word goes out.
    init(bus: Bus, name: TunnelName, book: WordBook?) {
        self.bus = bus
        self.name = name
        self.book = book
        events = bus.events()
    }

    private struct Said: Decodable {
        var event: String?
        var url: String?
        var url_lasts: Bool?
    }

    /// Until its task is cancelled.
    func run() async {
        await ask()
        for await event in events {
            switch event {
            case .peer(_, Self.worker, isUp: true): await ask()
            case .other(let peer, let payload) where peer == bus.peer(named: Self.worker):
                hear(payload) { $0.event == "address" }
            case .values, .peers, .peer, .client, .stopping, .recycle, .other: break
            }
        }
    }

    private func ask() async {
        guard bus.peer(named: Self.worker) != nil else { return }
        do {
            hear(try await bus.request(Self.worker, Array(#"{"op":"describe"}"#.utf8))) { _ in true }
        } catch {
            Log.debug("tunnel-worker does not say its address: \(error)")
        }
    }

    private func hear(_ payload: [UInt8], where isMeant: (Said) -> Bool) {
        guard let said = try? JSONDecoder().decode(Said.self, from: Data(payload)), isMeant(said), let url = said.url,
            url.hasPrefix("https://"), url.utf8.count <= Self.limit, URLComponents(string: url)?.host?.isEmpty == false
        else { return }
        name.hear(url)
        book?.hear(address: url, lasts: said.url_lasts ?? true)
    }
}
