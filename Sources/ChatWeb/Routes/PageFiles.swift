import CZlib
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The files of the page, read once at the start: nothing that a request names is ever looked for on the disk.
public struct PageFiles: Sendable {
    struct File: Sendable {
        var type: String
        var tag: String
        var plain: ByteBuffer
        var packed: ByteBuffer?
    }
    let files: [String: File]

    /// All files of a directory, and of those in it, whose kind is known.
    public init(directory: String) throws {
        var files: [String: File] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory) {
            guard let type = Self.type(of: name) else { continue }
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name)))
            if name.hasSuffix(".js") { bytes = Self.withoutComments(bytes) }
            if name.hasSuffix(".js") || name.hasSuffix(".css") { bytes = Self.withoutIndentation(bytes) }
            let hash = Secrets.hash(String(decoding: bytes, as: UTF8.self))
            let tag = hash.prefix(12).map { String($0, radix: 16) }.joined()
            let packed = Gzip.packed(bytes).flatMap { $0.count < bytes.count ? ByteBuffer(bytes: $0) : nil }
            files["/" + name] = File(type: type, tag: "\"\(tag)\"", plain: ByteBuffer(bytes: bytes), packed: packed)
        }
        files["/"] = files["/index.html"]
        self.files = files
    }

    /// Comments, a sixth of the scripts, are for who reads them here: lines of nothing else are sent empty, so that all keep
    /// their numbers. No text of the page begins a line as a comment does.
    static func withoutComments(_ script: [UInt8]) -> [UInt8] {
        var isInside = false
        let lines = script.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            let words = line.drop { $0 == UInt8(ascii: " ") }
            let end = words.firstRange(of: Array("*/".utf8))?.upperBound
            if isInside || words.starts(with: Array("/*".utf8)) {
                isInside = end == nil
                return isInside || end == words.endIndex ? [] : Array(line)
            }
            return words.starts(with: Array("//".utf8)) ? [] : Array(line)
        }
        return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// Spaces at the beginnings of lines are for who reads them here too. No text of the page goes over lines.
    static func withoutIndentation(_ script: [UInt8]) -> [UInt8] {
        let lines = script.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return Array(lines.map { $0.drop { $0 == UInt8(ascii: " ") } }.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// Beside the program as scripts/build lays it out, or where SwiftPM puts resources.
    public static func besideProgram() -> String? {
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        let place = (program as NSString).deletingLastPathComponent
        return ["chat-page", "Nexus_ChatWeb.resources/Page"].map { place + "/" + $0 }
            .first { FileManager.default.fileExists(atPath: $0 + "/index.html") }
    }

    /// The file, or 304 when the browser has it.
    func answer(_ path: String, _ request: Request) throws -> Response {
        guard let file = files[path] else { throw WebError(.notFound, "unknown", "there is nothing here") }
        var headers: HTTPFields = [
            .contentType: file.type, .eTag: file.tag, .cacheControl: "no-cache", .vary: "Accept-Encoding",
        ]
        if request.headers[.ifNoneMatch]?.contains(file.tag) == true {
            return Response(status: .notModified, headers: headers)
        }
        let packed = Self.takesGzip(request.headers[.acceptEncoding]) ? file.packed : nil
        if packed != nil { headers[.contentEncoding] = "gzip" }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: packed ?? file.plain))
    }

    /// A weight of 0 says that it is not taken (RFC 9110, 12.4.2).
    private static func takesGzip(_ accepted: String?) -> Bool {
        (accepted ?? "").lowercased().split(separator: ",").contains { coding in
            let parts = coding.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            return parts.first == "gzip" && weight ?? 1 > 0
        }
    }

    private static func type(of name: String) -> String? {
        switch (name as NSString).pathExtension {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "webmanifest": "application/manifest+json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case _: nil
        }
    }
}

/// gzip by zlib.
enum Gzip {
    /// Nil when zlib fails, which leaves the file as it is.
    static func packed(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        // 15 bits of window, and 16 more for gzip's header (zlib.h, deflateInit2).
        guard
            deflateInit2_(
                &stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)
            )
                == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let status = input.withUnsafeMutableBufferPointer { from in
            output.withUnsafeMutableBufferPointer { to in
                stream.next_in = from.baseAddress
                stream.avail_in = UInt32(from.count)
                stream.next_out = to.baseAddress
                stream.avail_out = UInt32(to.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { return nil }
        return Array(output.prefix(Int(stream.total_out)))
    }
}
