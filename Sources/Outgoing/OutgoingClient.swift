import CCurl
import Foundation

/// Whoever makes calls; tests bring their own.
public protocol OutgoingPort: Sendable {
    /// Makes a call; throws when nothing whole came back.
    func send(_ call: OutgoingCall) async throws(OutgoingFailure) -> OutgoingAnswer
}

/// Calls to the outside by libcurl, each on a thread of its own while it lasts: they are few and rare, and Swift's
/// concurrency threads never wait in curl. Whoever calls bounds how many there are at once.
///
/// libcurl, as everywhere else in Nexus: it asks before it connects (CURLOPT_OPENSOCKETFUNCTION(3)), with the address
/// that the name led to, so that what is refused is what would be reached. AsyncHTTPClient has no such place, and would
/// bring a TLS library of its own.
public struct OutgoingClient: OutgoingPort {
    /// A file of certificates to trust in place of the machine's own; OpenSSL's usual variable names it.
    private let certificates: String?

    /// `environment` may name the certificates to trust: SSL_CERT_FILE.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        certificates = environment["SSL_CERT_FILE"]
        // 3 is CURL_GLOBAL_ALL, a macro that Swift does not see. Safe from any thread since libcurl 7.84.
        curl_global_init(3)
    }

    /// One call; cancelling the task ends it at once.
    public func send(_ call: OutgoingCall) async throws(OutgoingFailure) -> OutgoingAnswer {
        guard let transfer = OutgoingTransfer(call, certificates: certificates) else {
            throw .unreachable("memory is out")
        }
        let result: Result<OutgoingAnswer, OutgoingFailure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread { continuation.resume(returning: transfer.run()) }
            }
        } onCancel: {
            transfer.cancel()
        }
        return try result.get()
    }
}
