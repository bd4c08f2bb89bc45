import Foundation
import Testing

/// Files over HTTP: what strangers and bad requests get, and with which headers content goes out.
@Suite(.timeLimit(.minutes(1)))
struct AttachmentTests {
    private func upload(_ content: [UInt8], _ box: WebBox, _ cookie: String) throws -> RawAnswer {
        let begun = try box.post("/api/chat", #"{"op":"upload","bytes":\#(content.count)}"#, cookie: cookie)
        let upload = try #require(begun.text.firstMatch(of: /"upload":"([^"]+)"/)?.1)
        let data = Data(content).base64EncodedString()
        return try box.post(
            "/api/chat", #"{"op":"piece","upload":"\#(upload)","at":0,"data":"\#(data)"}"#, cookie: cookie)
    }

    private func get(_ path: String, _ box: WebBox, cookie: String? = nil, method: String = "GET") throws -> RawAnswer {
        let connection = try box.connect()
        let cookies = cookie.map { "Cookie: \($0)\r\n" } ?? ""
        try connection.send(
            "\(method) \(path) HTTP/1.1\r\nHost: localhost:\(box.port)\r\n\(cookies)Connection: close\r\n\r\n")
        return try connection.answer()
    }

    private func id(_ answer: RawAnswer) throws -> String {
        String(try #require(answer.text.firstMatch(of: /"id":"([0-9a-f]{64})"/)?.1))
    }

    @Test func whatRunsNowhere_isDownloaded_picturesAreShown() async throws {
        let box = try await WebBox()
        try await box.store.clearAttachments()
        let cookie = try await box.pair(.chatOnly)
        let page = try id(upload(Array("<script>alert(1)</script>".utf8), box, cookie))
        let text = try get("/attachment/\(page)?name=%22a%0d%0ab%22.html", box, cookie: cookie)
        #expect(text.status == 200 && text.text.hasSuffix("<script>alert(1)</script>"))
        #expect(text.header("content-type") == "application/octet-stream")
        #expect(text.header("content-disposition") == "attachment; filename*=UTF-8''%22ab%22.html")
        #expect(text.header("x-content-type-options") == "nosniff")
        #expect(text.header("content-security-policy") == "sandbox; default-src 'none'; frame-ancestors 'none'")
        let picture = try id(upload([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1], box, cookie))
        let shown = try get("/attachment/\(picture)?name=../p.png", box, cookie: cookie)
        #expect(shown.header("content-type") == "image/png")
        #expect(shown.header("content-disposition") == "inline; filename*=UTF-8''p.png")
        #expect(shown.header("content-security-policy")?.hasPrefix("sandbox") == true)
        #expect(shown.header("cache-control")?.contains("private") == true)
    }

    /// Cut off, longer, or another content of the same length: none of it is shown under the name of what was uploaded.
    @Test func fileThatIsNotWhatWasUploaded_isRefusedAtOnce() async throws {
        let box = try await WebBox()
        try await box.store.clearAttachments()
        let cookie = try await box.pair()
        let content = String(repeating: "mine ", count: 20_000)
        let kept = try id(upload(Array(content.utf8.prefix(40_000)), box, cookie))
        #expect(try get("/attachment/\(kept)", box, cookie: cookie).status == 200)
        for changed in ["short", content, String(content.uppercased().prefix(40_000))] {
            try Data(changed.utf8).write(to: URL(fileURLWithPath: "\(box.directory)/attachments/\(kept)"))
            let answer = try get("/attachment/\(kept)", box, cookie: cookie)
            #expect(answer.status == 500 && answer.text.contains("is damaged"), "\(changed.count)")
        }
    }

    @Test func head_isGetWithoutABody() async throws {
        let box = try await WebBox()
        try await box.store.clearAttachments()
        let cookie = try await box.pair()
        let kept = try id(upload(Array("mine".utf8), box, cookie))
        for (path, status) in [("/", 200), ("/index.html", 200), ("/attachment/\(kept)", 200), ("/nothing", 404)] {
            let whole = try get(path, box, cookie: cookie)
            let head = try get(path, box, cookie: cookie, method: "HEAD")
            #expect(head.status == status && whole.status == status, "\(path)")
            #expect(head.header("content-length") == whole.header("content-length"), "\(path)")
            #expect(head.text.hasSuffix("\r\n\r\n") && !whole.text.hasSuffix("\r\n\r\n"), "\(path)")
        }
        #expect(try get("/attachment/\(kept)", box, method: "HEAD").status == 401)
    }

    @Test func strangersAndBadNames_getNothing() async throws {
        let box = try await WebBox()
        try await box.store.clearAttachments()
        let cookie = try await box.pair()
        let kept = try id(upload(Array("mine".utf8), box, cookie))
        #expect(try get("/attachment/\(kept)", box).status == 401)
        #expect(try get("/attachment/\(kept)", box, cookie: "__Host-nexus=wrong").status == 401)
        for path in [
            "../chat.sqlite", "..%2fchat.sqlite", "%2e%2e/chat.sqlite", "%00", String(repeating: "0", count: 64),
            kept + "/../../chat.sqlite", kept.uppercased(),
        ] {
            let answer = try get("/attachment/\(path)", box, cookie: cookie)
            #expect([400, 404].contains(answer.status), "\(path)")
            #expect(!answer.text.contains("SQLite"))
        }
        #expect(try get("/attachment/\(kept)", box, cookie: cookie, method: "PUT").status == 405)
    }

    @Test func oversizeAndWrongKinds_areRefusedInWords() async throws {
        let box = try await WebBox()
        try await box.store.clearAttachments()
        let cookie = try await box.pair()
        let large = try box.post("/api/chat", #"{"op":"upload","bytes":10000001}"#, cookie: cookie)
        #expect(large.text.contains("at most 10000000"))
        #expect(try upload([0x7F, 0x45, 0x4C, 0x46], box, cookie).text.contains("only text"))
        let begun = try box.post("/api/chat", #"{"op":"upload","bytes":9000000}"#, cookie: cookie)
        let upload = try #require(begun.text.firstMatch(of: /"upload":"([^"]+)"/)?.1)
        // A piece that does not fit a request's body, and one that is no base64.
        let long = String(repeating: "A", count: 70_000)
        let piece = #"{"op":"piece","upload":"\#(upload)","at":0,"data":""#
        #expect(try box.post("/api/chat", piece + long + "\"}", cookie: cookie).status == 413)
        #expect(try box.post("/api/chat", piece + "%%\"}", cookie: cookie).text.contains("bad-request"))
        let path = box.directory + "/attachments"
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).allSatisfy { $0.hasSuffix(".partial") })
    }
}
