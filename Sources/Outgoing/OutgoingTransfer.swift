import CCurl
import Glibc
import Synchronization

/// One call on its way.
///
/// @unchecked Sendable: made by the caller, then touched by the one thread that runs it; `cancel` alone comes from
/// others, and curl_multi_wakeup(3) allows that.
final class OutgoingTransfer: @unchecked Sendable {
    private let call: OutgoingCall
    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private let isCancelled = Atomic(false)
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var target: UnsafeMutablePointer<curl_slist>?
    private var answer = OutgoingAnswer(status: 0)
    private var forbidden: String?
    private var stranger: OutgoingFailure?
    private var isTooLong = false

    /// Nil only when memory is out.
    init?(_ call: OutgoingCall, certificates: String?) {
        guard let easy = curl_easy_init() else { return nil }
        guard let multi = curl_multi_init() else {
            curl_easy_cleanup(easy)
            return nil
        }
        self.call = call
        self.easy = easy
        self.multi = multi
        setUp(certificates)
    }

    deinit {
        curl_multi_remove_handle(multi, easy)
        curl_easy_cleanup(easy)
        curl_multi_cleanup(multi)
        curl_slist_free_all(headers)
        curl_slist_free_all(target)
    }

    func cancel() {
        isCancelled.store(true, ordering: .sequentiallyConsistent)
        curl_multi_wakeup(multi)
    }

    /// Blocks until it is over.
    func run() -> Result<OutgoingAnswer, OutgoingFailure> {
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else { return .failure(.unreachable("memory is out")) }
        while true {
            if isCancelled.load(ordering: .sequentiallyConsistent) { return .failure(.cancelled) }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            var left: Int32 = 0
            if let message = curl_multi_info_read(multi, &left), message.pointee.msg == CURLMSG_DONE {
                return result(message.pointee.data.result)
            }
            // Bounded by libcurl's own timers, among them the call's limit; a byte or `cancel` ends it at once.
            curl_multi_poll(multi, nil, 0, 60_000, nil)
        }
    }

    private func setUp(_ certificates: String?) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        text(CURLOPT_URL, call.url)
        // No proxy, whatever the environment says: it would connect in our place, past the look at the address. No
        // redirect: it could lead anywhere. No other protocol, no signals in a threaded program.
        text(CURLOPT_PROXY, "")
        text(CURLOPT_PROTOCOLS_STR, call.httpsOnly ? "https" : "https,http")
        number(CURLOPT_FOLLOWLOCATION, 0)
        number(CURLOPT_NOSIGNAL, 1)
        number(CURLOPT_TIMEOUT_MS, Int(call.limit / .milliseconds(1)))
        if let certificates { text(CURLOPT_CAINFO, certificates) }
        switch call.way {
        case .asTheURLSays: break
        case .socket(let path): text(CURLOPT_UNIX_SOCKET_PATH, path)
        case .through(let place):
            // Whatever the URL's host and port are (CURLOPT_CONNECT_TO(3)).
            target = curl_slist_append(nil, "::\(place)")
            _ = nexus_curl_set_pointer(easy, CURLOPT_CONNECT_TO, target)
        }
        for header in call.headers { add("\(header.name): \(header.value)") }
        if let body = call.body {
            // Without `Expect:` libcurl would wait a second for a "100 Continue" before a long body.
            add("Expect:")
            number(CURLOPT_POSTFIELDSIZE, body.count)
            body.withUnsafeBytes { _ = nexus_curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) }
            number(CURLOPT_POST, 1)
        }
        _ = nexus_curl_set_pointer(easy, CURLOPT_HTTPHEADER, headers)
        _ = nexus_curl_set_writer(easy, { OutgoingTransfer.of($3)?.received($0, $1 * $2) ?? 0 }, context)
        _ = nexus_curl_set_header_reader(easy, { OutgoingTransfer.of($3)?.receivedHeader($0, $1 * $2) ?? 0 }, context)
        if call.owners != nil {
            _ = nexus_curl_set_look(easy, { OutgoingTransfer.of($0)?.look(port: $3, localPort: $4) ?? 1 }, context)
        }
        _ = nexus_curl_set_socket_maker(easy, { OutgoingTransfer.of($0)?.socket(to: $2) ?? -1 }, context)
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> OutgoingTransfer? {
        context.map { Unmanaged<OutgoingTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func text(_ option: CURLoption, _ value: String) { _ = nexus_curl_set_text(easy, option, value) }

    private func number(_ option: CURLoption, _ value: Int) { _ = nexus_curl_set_long(easy, option, value) }

    private func add(_ header: String) { headers = curl_slist_append(headers, header) }

    /// The last look before a connection: -1 (CURL_SOCKET_BAD) refuses the address.
    private func socket(to address: UnsafeMutablePointer<curl_sockaddr>?) -> Int32 {
        guard let address, let place = MemoryLayout<curl_sockaddr>.offset(of: \.addr) else { return -1 }
        let target = UnsafeRawPointer(address) + place
        let bytes: [UInt8]
        switch address.pointee.family {
        case AF_INET: bytes = withUnsafeBytes(of: target.loadUnaligned(as: sockaddr_in.self).sin_addr, Array.init)
        case AF_INET6: bytes = withUnsafeBytes(of: target.loadUnaligned(as: sockaddr_in6.self).sin6_addr, Array.init)
        case _: bytes = []
        }
        guard call.reach.allows(bytes) else {
            forbidden = Self.shown(bytes)
            return -1
        }
        let type = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return Glibc.socket(address.pointee.family, type, address.pointee.protocol)
    }

    /// The last look before the request: 0 lets it out.
    private func look(port: Int32, localPort: Int32) -> Int32 {
        let port = UInt16(clamping: port)
        let uid = ListenerOwner.uid(port: port, localPort: UInt16(clamping: localPort))
        if let uid, call.owners?.contains(uid) != false { return 0 }
        stranger = .foreignListener(port: port, uid: uid)
        return 1
    }

    private static func shown(_ bytes: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard !bytes.isEmpty, inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else {
            return "its address"
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func receivedHeader(_ start: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard let start else { return 0 }
        let line = String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self).lowercased()
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return count }
        let value = parts[1].filter { !$0.isWhitespace }
        if parts[0] == "retry-after" { answer.retryAfter = Int(value) }
        if let keeping = call.keeping, parts[0] == keeping.lowercased() {
            answer.kept = String(value.prefix(Self.keptCharacters))
        }
        return count
    }

    /// Of a header that is kept.
    private static let keptCharacters = 256

    private func received(_ start: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard let start, answer.body.count + count <= call.answerLimit else {
            isTooLong = true
            return 0
        }
        answer.body.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
        return count
    }

    private var isHTTP: Bool { ["http://", "https://"].contains { call.url.lowercased().hasPrefix($0) } }

    private func result(_ code: CURLcode) -> Result<OutgoingAnswer, OutgoingFailure> {
        if code == CURLE_OK {
            var status = 0
            _ = nexus_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
            answer.status = status
            return .success(answer)
        }
        if let forbidden { return .failure(.forbiddenAddress(forbidden)) }
        if let stranger { return .failure(stranger) }
        if isTooLong { return .failure(.tooLong(call.answerLimit)) }
        switch code {
        case CURLE_OPERATION_TIMEDOUT: return .failure(.timedOut(call.limit))
        // HTTP/0.9 in curl's words, which only its being called can tell from an address of another kind.
        case CURLE_UNSUPPORTED_PROTOCOL where isHTTP: return .failure(.unreachable("it does not answer by HTTP"))
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return .failure(.badURL)
        case _: return .failure(.unreachable(String(cString: curl_easy_strerror(code))))
        }
    }
}
