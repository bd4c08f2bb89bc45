import CCurl
import Foundation

/// One GET or POST with a short limit, by libcurl's easy interface, on a thread that may wait.
struct HTTPLook: Sendable {
    /// `http://127.0.0.1:20241/ready`.
    var url: String
    /// A unix socket to go through; nil: as the URL says.
    var socket: String?
    /// `HOST:PORT` to connect to instead of the URL's own; nil: as the URL says.
    var via: String?
    /// Header lines.
    var headers: [String] = []
    /// Makes it a POST.
    var body: String?
    var limit: Duration = .seconds(2)

    /// What came back.
    struct Answer: Hashable, Sendable {
        var status: Int
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Longest body that is taken; what is beyond fails the look.
    static let bodyLimitBytes = 1 << 20

    /// Carries it out; the error has libcurl's words.
    func answer() async throws(TunnelError) -> Answer {
        let result: Result<Answer, TunnelError> = await withCheckedContinuation { continuation in
            // A thread of Dispatch's may block; the cooperative pool may not.
            DispatchQueue.global().async { continuation.resume(returning: perform()) }
        }
        return try result.get()
    }

    private final class Collector {
        var body: [UInt8] = []
    }

    private func perform() -> Result<Answer, TunnelError> {
        // 3 is CURL_GLOBAL_ALL; safe from any thread since libcurl 7.84.
        guard curl_global_init(3) == CURLE_OK, let easy = curl_easy_init() else {
            return .failure(TunnelError("libcurl cannot start: memory is out"))
        }
        defer { curl_easy_cleanup(easy) }
        let collector = Collector()
        var lines: UnsafeMutablePointer<curl_slist>?
        for header in headers { lines = curl_slist_append(lines, header) }
        defer { curl_slist_free_all(lines) }
        let connection = via.map { curl_slist_append(nil, "::\($0)") } ?? nil
        defer { curl_slist_free_all(connection) }
        setUp(easy, lines, connection, collector)
        let code = withExtendedLifetime(collector) { curl_easy_perform(easy) }
        guard code == CURLE_OK else {
            return .failure(TunnelError(String(cString: curl_easy_strerror(code)).lowercased()))
        }
        var status = 0
        _ = nexus_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        return .success(Answer(status: status, body: collector.body))
    }

    private func setUp(
        _ easy: UnsafeMutableRawPointer, _ lines: UnsafeMutablePointer<curl_slist>?,
        _ connection: UnsafeMutablePointer<curl_slist>?, _ collector: Collector
    ) {
        _ = nexus_curl_set_text(easy, CURLOPT_URL, url)
        // No proxy, whatever the environment says; no redirect; no signals in a threaded program.
        _ = nexus_curl_set_text(easy, CURLOPT_PROXY, "")
        _ = nexus_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = nexus_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        _ = nexus_curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        _ = nexus_curl_set_long(easy, CURLOPT_TIMEOUT_MS, Int(limit / .milliseconds(1)))
        if let socket { _ = nexus_curl_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, socket) }
        if let connection { _ = nexus_curl_set_pointer(easy, CURLOPT_CONNECT_TO, connection) }
        _ = nexus_curl_set_pointer(easy, CURLOPT_HTTPHEADER, lines)
        if let body { _ = nexus_curl_set_text(easy, CURLOPT_COPYPOSTFIELDS, body) }
        let receive: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int = {
            bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let collector = Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
            guard collector.body.count + size * count <= HTTPLook.bodyLimitBytes else { return 0 }
            collector.body += UnsafeRawBufferPointer(start: bytes, count: size * count)
            return size * count
        }
        _ = nexus_curl_set_writer(easy, receive, Unmanaged.passUnretained(collector).toOpaque())
    }
}
