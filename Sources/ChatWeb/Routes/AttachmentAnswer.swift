import Chat
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The content of an attachment for a device. Whatever is in it runs nowhere: pictures alone are shown, under a type that
/// was found in their content, everything else is a download; no browser may guess another type, and the sandbox has no
/// script, no origin and nothing it could load.
enum AttachmentAnswer {
    private static let chunkBytes = 65_536

    static func of(_ file: Attachment, at path: String, name: String) throws -> Response {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        guard try file.isWhole(handle) else {
            throw ChatError(.failed, "the file of this attachment is damaged, and is not shown")
        }
        let kind = file.mime.isImage ? "inline" : "attachment"
        return Response(
            status: .ok,
            headers: [
                .contentType: file.mime.isImage ? file.mime.rawValue : "application/octet-stream",
                .contentDisposition: "\(kind); filename*=UTF-8''\(encoded(Attachment.name(name)))",
                .contentSecurityPolicy: "sandbox; default-src 'none'; frame-ancestors 'none'",
                // By its hash it never changes; the browser of a device that was shut out may keep what it has seen.
                .cacheControl: "private, max-age=86400, immutable",
            ],
            body: ResponseBody(contentLength: file.bytes) { writer in
                defer { try? handle.close() }
                var left = file.bytes
                while left > 0 {
                    // Cut off since it was looked at: the connection ends, and so says that this is not all.
                    guard let bytes = try handle.read(upToCount: min(chunkBytes, left)), !bytes.isEmpty else {
                        throw ChatError(.failed, "the file of an attachment ended too early")
                    }
                    left -= bytes.count
                    try await writer.write(ByteBuffer(bytes: bytes))
                }
                try await writer.finish(nil)
            })
    }

    /// RFC 8187: everything but attr-char as %XX.
    private static func encoded(_ name: String) -> String {
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~")
        return name.addingPercentEncoding(withAllowedCharacters: plain) ?? "file"
    }
}
