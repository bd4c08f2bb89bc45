import Chat
import ChatWeb
import Foundation
import WorkerKit

/// Hears from tunnel-worker under which address the chat is reached: by its event `{"event":"address","url":"https://…","url_lasts":…}`,
/// and by its answer to `describe`, which is asked for whenever one of the two has started, and after its event
/// `{"event":"tunnel"}`. What it said is forgotten when nexusd says that it was stopped or given up.
struct TunnelEar: Sendable {
    /// Its name in Supervisor.toml, and in this child's `peers`: nobody else is believed.
    static let worker = "tunnel-worker"
    /// Between two questions to nexusd what became of it.
    private static let pause: Duration = .seconds(1)
    /// Bytes of an address.
    private static let limit = 512

    private let bus: Bus
    private let name: TunnelName
    private let book: WordBook?
    private let memory: TunnelMemory
    private let told: @Sendable (TunnelSight?) -> Void
    private let events: AsyncStream<BusEvent>

    /// Listens from now on.
    /// - Parameters:
    ///   - book: nil: no word goes out.
    ///   - memory: of what it said to a chat-bridge before this one.
    ///   - told: how the tunnel is; nil: nobody in this tree looks after one.
    init(
        bus: Bus, name: TunnelName, book: WordBook?, memory: TunnelMemory,
        told: @escaping @Sendable (TunnelSight?) -> Void
    ) {
        self.bus = bus
        self.name = name
        self.book = book
        self.memory = memory
        self.told = told
        events = bus.events()
    }

    private struct Said: Decodable {
        var event: String?
        var url: String?
        var url_lasts: Bool?
        /// Of `describe`; the event `address` is of one that does.
        var url_leads: Bool?
    }

    /// Until its task is cancelled.
    func run() async {
        var last = await ask()
        var absence: Task<Void, Never>?
        defer { absence?.cancel() }
        if last == nil, bus.peer(named: Self.worker) != nil, let kept = memory.read() {
            last = kept
            absence = Task { await forget(kept) }
        }
        for await event in events {
            switch event {
            case .peer(_, Self.worker, isUp: true):
                absence?.cancel()
                await absence?.value
                last = await ask() ?? last
            case .peer(_, Self.worker, isUp: false):
                absence?.cancel()
                absence = Task { [last] in await forget(last) }
            case .other(let peer, let payload) where peer == bus.peer(named: Self.worker):
                hear(payload) { $0.event == "address" }
                if said(payload)?.event == "tunnel" { last = await ask() ?? last }
            case .peers: last = await ask() ?? last
            case .values, .peer, .client, .stopping, .recycle, .other: break
            }
        }
    }

    /// What it says; nil: nothing.
    private func ask() async -> TunnelSight? {
        guard bus.peer(named: Self.worker) != nil else {
            told(nil)
            return nil
        }
        do {
            let answer = try await bus.request(Self.worker, Array(#"{"op":"describe"}"#.utf8))
            hear(answer) { _ in true }
            guard let sight = TunnelSight(answer) else { return nil }
            told(sight)
            memory.keep(sight)
            return sight
        } catch {
            Log.debug("tunnel-worker does not say its address: \(error)")
            return nil
        }
    }

    /// After a crash it is back in a moment, and the tunnel stands as it stood; who was stopped, or given up, measures nothing
    /// any more, and takes cloudflared along.
    private func forget(_ last: TunnelSight?) async {
        let chain = AgentChain(bus, names: [Self.worker])
        while !Task.isCancelled {
            if let words = await chain.obstacle(), !Task.isCancelled {
                name.forget()
                if let last { told(last.unmeasured(words)) }
                return
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func hear(_ payload: [UInt8], where isMeant: (Said) -> Bool) {
        guard let said = said(payload), isMeant(said), let url = said.url,
            url.hasPrefix("https://"), url.utf8.count <= Self.limit, URLComponents(string: url)?.host?.isEmpty == false
        else { return }
        name.hear(url)
        guard said.url_leads ?? true else { return }
        book?.hear(address: url, lasts: said.url_lasts ?? true)
    }

    private func said(_ payload: [UInt8]) -> Said? { try? JSONDecoder().decode(Said.self, from: Data(payload)) }
}
