import Chat
import ChatWeb
import Foundation
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
            settings = try WebSettings(
                listen: listen, url: environment["NEXUS_CHAT_URL"], certificate: environment["NEXUS_CHAT_CERTIFICATE"],
                key: environment["NEXUS_CHAT_KEY"])
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
        let certificate: PageCertificate?
        do {
            certificate = try settings.certificate.map { source throws(PageCertificate.Failure) in
                try PageCertificate(
                    source.place(below: (store.path as NSString).deletingLastPathComponent), listening: settings.host,
                    said: audit)
            }
        } catch {
            throw Worker.ConfigurationError("the page's certificate: \(error)")
        }
        return WebServer(
            settings: settings, service: service, door: Door(store: store, audit: audit),
            page: try PageFiles(directory: directory),
            appliance: Appliance(
                ask: { try await bus.ask($0) }, may: { bus.may }, tail: tail(environment["NEXUS_LOGS"]), audit: audit),
            push: word?.desk(store, audit: audit),
            tunnel: TunnelFront(
                ask: { try await bus.request(TunnelEar.worker, $0, timeout: $1) }, audit: audit),
            tunnelSocket: LentSockets(environment: environment)["tunnel"],
            certificate: certificate,
            changed: changed)
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
