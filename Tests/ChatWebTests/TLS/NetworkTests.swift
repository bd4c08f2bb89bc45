import Foundation
import Testing

@testable import ChatWeb

/// The page by TLS, asked by somebody else's TLS: Python's, which is OpenSSL's.
@Suite(.timeLimit(.minutes(2)))
struct NetworkTests {
    /// Asks with one certificate as the only one that is trusted: that which the page made itself, unless it is said.
    private func ask(
        _ box: WebBox, _ name: String, _ text: String, version: String = "", trusting file: String = "tls/page.pem"
    ) throws -> String {
        let program = """
            import socket, ssl, sys
            context = ssl.create_default_context(cafile=sys.argv[1])
            if sys.argv[4]:
                context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[4]]
                context.set_ciphers("DEFAULT@SECLEVEL=0")
            plain = socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=20)
            with context.wrap_socket(plain, server_hostname=sys.argv[3]) as secure:
                secure.sendall(sys.stdin.buffer.read())
                data = b""
                while more := secure.recv(65536): data += more
                print(secure.version(), secure.selected_alpn_protocol())
                sys.stdout.write(data.decode())
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", program, box.directory + "/" + file, "\(box.port)", name, version]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let all = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: all, as: UTF8.self)
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func page_isServedByTLS_underNamesThatTheCertificateHolds(_ name: String) async throws {
        let box = try await WebBox(certificate: true)
        let answer = try ask(box, name, "GET / HTTP/1.1\r\nHost: \(name):\(box.port)\r\nConnection: close\r\n\r\n")
        #expect(answer.hasPrefix("TLSv1.3") && answer.contains("HTTP/1.1 200"), "\(answer)")
        let other = try ask(box, name, "GET / HTTP/1.1\r\nHost: evil.invalid:\(box.port)\r\nConnection: close\r\n\r\n")
        #expect(other.contains("HTTP/1.1 421"), "\(other)")
        #expect(try ask(box, "evil.invalid", "GET / HTTP/1.1\r\n\r\n").contains("CERTIFICATE_VERIFY_FAILED"))
    }

    /// A router or a container's engine passes on what came for an address of its own, by another port.
    @Test(arguments: [
        ("192.0.2.9:8443", 200), ("192.0.2.9", 200), ("[2001:db8::7]:8443", 200), ("localhost:8443", 200),
        ("192.0.2.9.evil.invalid:8443", 421), ("3221225993", 421), ("192.0.2.9:http", 421),
        ("localhost.evil.invalid", 421),
        ("[2001:DB8:0::7]", 421),
    ])
    func address_isServedUnderAnyOfNoDNS(_ host: String, _ status: Int) async throws {
        let box = try await WebBox(certificate: true)
        let answer = try ask(box, "localhost", "GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
        #expect(answer.contains("HTTP/1.1 \(status)"), "\(answer)")
        let post = box.request("/api/pair", #"{"code":"00000000"}"#).replacing(
            "Host: localhost:\(box.port)", with: "Host: \(host)")
        let origin = "Origin: http://localhost:\(box.port)"
        let strange = try ask(box, "localhost", post.replacing(origin, with: "Origin: https://localhost:\(box.port)"))
        #expect(strange.contains(status == 200 ? "come from the page itself only" : "HTTP/1.1 421"), "\(strange)")
        let own = try ask(box, "localhost", post.replacing(origin, with: "Origin: https://\(host)"))
        #expect(own.contains(status == 200 ? "code" : "HTTP/1.1 421") && !own.contains("come from the page"), "\(own)")
    }

    @Test func certificateOfTheOwner_isTheOneThatIsServed() async throws {
        let box = try await WebBox(certificate: true, ofTheOwner: true)
        let request = "GET / HTTP/1.1\r\nHost: localhost:\(box.port)\r\nConnection: close\r\n\r\n"
        let answer = try ask(box, "localhost", request, trusting: "own.pem")
        #expect(answer.hasPrefix("TLSv1.3") && answer.contains("HTTP/1.1 200"), "\(answer)")
        #expect(!FileManager.default.fileExists(atPath: box.directory + "/tls"))
    }

    @Test(arguments: [("TLSv1_2", "TLSv1.2"), ("TLSv1_1", "ssl.SSLError"), ("TLSv1", "ssl.SSLError")])
    func versions_areTheTwoThatAreSafe(_ version: String, _ outcome: String) async throws {
        let box = try await WebBox(certificate: true)
        let answer = try ask(
            box, "localhost", "GET / HTTP/1.1\r\nHost: localhost:\(box.port)\r\nConnection: close\r\n\r\n",
            version: version)
        #expect(answer.contains(outcome) && answer.contains("200") == (version == "TLSv1_2"), "\(answer)")
    }

    @Test func device_isPairedByTLS_fromThePagesOwnOriginOnly() async throws {
        let box = try await WebBox(certificate: true)
        let code = try await box.code()
        let plain = box.request("/api/pair", #"{"code":"\#(code)"}"#)
        #expect(try ask(box, "localhost", plain).contains("HTTP/1.1 403"))
        let secure = plain.replacing("Origin: http://", with: "Origin: https://")
        #expect(try ask(box, "localhost", secure).contains("Set-Cookie: __Host-nexus="))
    }

    @Test func plainHTTP_isSentToTLS_whateverNameItGives() async throws {
        let box = try await WebBox(certificate: true)
        let connection = try box.connect()
        try connection.send("GET / HTTP/1.1\r\nHost: evil.invalid\r\n\r\n")
        let answer = try connection.answer()
        #expect(answer.status == 307 && answer.header("location") == "https://127.0.0.1:\(box.port)/")
        // A name that is served is kept: who typed it is known by a cookie of that name.
        let known = try box.connect()
        try known.send("GET / HTTP/1.1\r\nhost: LocalHost:\(box.port)\r\n\r\n")
        #expect(try known.answer().header("location") == "https://localhost:\(box.port)/")
        // Whoever speaks neither, or nothing, is let go like any stranger.
        let silent = try await WebBox(limits: ConnectionLimits(stranger: .milliseconds(200)), certificate: true)
        #expect(try silent.connect().rest().isEmpty)
        let broken = try silent.connect()
        try broken.send("\u{16}\u{3}\u{1}nonsense that is no handshake")
        _ = try broken.rest()
    }

    @Test func pairing_namesTheAddressThatAPhoneUses_andTheFingerprint() async throws {
        let names = MachineNames(own: "box", addresses: ["192.0.2.5", "127.0.0.1"].compactMap { Address($0) })
        func url(_ listen: String, _ url: String? = nil, _ port: Int = 4780) throws -> String? {
            try WebSettings(listen: listen, url: url, certificate: "self-made").map {
                PageReach(settings: $0, tunnel: .none).words(port: port, names)
            }
        }
        #expect(try url("0.0.0.0:4780") == "https://192.0.2.5:4780")
        #expect(try url("0.0.0.0:443", nil, 443) == "https://192.0.2.5")
        #expect(try url("0.0.0.0:4780", "https://chat.example.invalid") == "https://chat.example.invalid")
        let box = try await WebBox(certificate: true)
        let line = try #require(try await box.server.answer(.pair(.owner, here: true), by: "a test").first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        #expect((object["url"] as? String)?.hasPrefix("https://localhost:\(box.port)/#pair=") == true)
        #expect(object["fingerprint"] as? String == box.certificate?.fingerprint)
        // On loopback it is nobody else's all the same.
        #expect(object["reachable"] as? Bool == false)
    }
}
