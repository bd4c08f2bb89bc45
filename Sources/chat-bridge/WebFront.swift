import Chat
import ChatWeb
import WorkerKit

/// The page, as Supervisor.toml wants it.
enum WebFront {
    /// Nil: it is off, or nobody said where.
    static func make(
        _ environment: [String: String], _ store: ChatStore, _ service: ChatService, _ bus: Bus, _ word: WordOut?,
        changed: @escaping @Sendable (WebServer.State) -> Void
    ) throws -> WebServer? {
        guard let listen = environment["NEXUS_CHAT_LISTEN"], !listen.isEmpty else { return nil }
        let settings: WebSettings?
        do {
            settings = try WebSettings(listen: listen, url: environment["NEXUS_CHAT_URL"])
        } catch {
            throw Worker.ConfigurationError(error.description)
        }
        guard let settings else { return nil }
        guard let directory = PageFiles.besideProgram() else {
            Log.error("the files of the page are not beside chat-bridge (chat-page): build again with scripts/build")
            changed(.away("its files are not beside chat-bridge"))
            return nil
        }
        let audit: @Sendable (String) -> Void = { Log.notice("access: \($0)") }
        return WebServer(
            settings: settings, service: service, door: Door(store: store, audit: audit),
            page: try PageFiles(directory: directory),
            appliance: Appliance(ask: { try await bus.ask($0) }, audit: audit),
            push: word?.desk(store, audit: audit),
            tunnelSocket: LentSockets(environment: environment)["tunnel"], changed: changed)
    }
}
