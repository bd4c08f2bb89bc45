import Chat
import ChatWeb
import Foundation
import WorkerKit

/// The page, as Supervisor.toml wants it.
enum WebFront {
    /// Nil: it is off, nobody said where, or it cannot be served, which is said. The conversations go on without it.
    static func make(
        _ environment: [String: String], _ store: ChatStore, _ service: ChatService, _ bus: Bus, _ word: WordOut?,
        _ tunnel: TunnelName,
        changed: @escaping @Sendable (WebServer.State) -> Void
    ) -> WebServer? {
        guard let listen = environment["NEXUS_CHAT_LISTEN"], !listen.isEmpty else { return nil }
        func away(_ why: String) -> WebServer? {
            changed(.away(why))
            return nil
        }
        let settings: WebSettings?
        do {
            settings = try WebSettings(
                listen: listen, url: environment["NEXUS_CHAT_URL"], certificate: environment["NEXUS_CHAT_CERTIFICATE"],
                key: environment["NEXUS_CHAT_KEY"])
        } catch {
            return away(error.description)
        }
        guard let settings else { return nil }
        guard let directory = PageFiles.besideProgram(), let page = try? PageFiles(directory: directory) else {
            return away("its files are not beside chat-bridge (chat-page): build again with scripts/build")
        }
        let audit: @Sendable (String) -> Void = { Log.notice("access: \($0)") }
        let certificate = settings.certificate.map { source in
            PageCertificate(
                source.place(below: (store.path as NSString).deletingLastPathComponent), for: settings, said: audit)
        }
        return WebServer(
            settings: settings, service: service, door: Door(store: store, audit: audit),
            page: page,
            appliance: Appliance(
                own: bus.name, ask: { try await ask($0, bus) }, may: { bus.may }, tail: tail(environment["NEXUS_LOGS"]),
                audit: audit),
            push: word?.desk(store, audit: audit),
            tunnel: TunnelFront(
                name: tunnel, ask: { try await bus.request(TunnelEar.worker, $0, timeout: $1) }, audit: audit),
            tunnelSocket: LentSockets(environment: environment)["tunnel"],
            certificate: certificate,
            changed: changed)
    }

    /// What nexusd does not allow is refused, and nothing on the way has failed.
    private static func ask(_ words: String, _ bus: Bus) async throws -> [UInt8] {
        do {
            return try await bus.ask(words)
        } catch let error as BusError where error.code == .refused {
            throw ChatError(.refused, "\(error)")
        }
    }

    private static func tail(
        _ directory: String?
    ) -> (@Sendable (String, LogPlace?) async throws -> any LogTailing)? {
        guard let directory, !directory.isEmpty else { return nil }
        return { child, place in try LogTail(of: child, in: directory, from: place) }
    }
}

extension WebSettings.Certificate {
    /// A self-made one is kept below the state directory.
    fileprivate func place(below directory: String) -> PageCertificate.Source {
        switch self {
        case .selfMade: .selfMade(directory: directory + "/tls")
        case .files(let certificate, let key): .files(certificate: certificate, key: key)
        }
    }
}
