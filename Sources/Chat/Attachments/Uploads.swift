import Cryptography
import Foundation
import Glibc

/// Files on their way here, in pieces that each come with an ordinary request. Each is written to a work file; only a whole
/// one of a known kind is kept. After a restart of chat-bridge an upload begins anew.
public actor Uploads {
    /// Open at once; the one that waits for longest goes for the one that comes.
    static let limit = 16
    /// Bytes of one piece, before base64: it fits the body of a request.
    public static let pieceBytes = 45_000

    private let store: ChatStore
    private let limits: AttachmentLimits
    private var open: [String: Upload] = [:]
    private var count: UInt64 = 0

    private struct Upload {
        let path: String
        let file: FileHandle
        let bytes: Int64
        var taken: Int64 = 0
        let hash = SHA256Hash()
        var touched: UInt64
    }

    /// Into one store.
    public init(store: ChatStore, limits: AttachmentLimits) {
        self.store = store
        self.limits = limits
    }

    /// Begins one of so many bytes; its name. Nothing is allocated before the limits were looked at.
    func begin(bytes: Int64) async throws -> String {
        guard bytes > 0 else { throw ChatError(.badRequest, "the file is empty") }
        guard bytes <= limits.file else {
            throw ChatError(
                .badRequest,
                "the file has \(bytes) bytes; at most \(limits.file) are taken ([chat] attachment). Put it into the "
                    + "workspace and name it")
        }
        let kept = try await store.attachmentBytes()
        let promised = open.values.reduce(Int64(0)) { $0 + $1.bytes }
        guard kept + promised + bytes <= limits.total else {
            throw ChatError(
                .badRequest,
                "the attachments that are kept have no room for it ([chat] attachments, \(limits.total) bytes); delete "
                    + "sessions with large ones")
        }
        if open.count >= Self.limit, let oldest = open.min(by: { $0.value.touched < $1.value.touched })?.key {
            drop(oldest)
        }
        count += 1
        let name = "u\(count)-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        let path = "\(store.attachmentDirectory)/\(name).partial"
        try StoreFile.create(path)
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw ChatError(.failed, "cannot write \(path)")
        }
        open[name] = Upload(path: path, file: file, bytes: bytes, touched: count)
        return name
    }

    /// Takes the next bytes; what is kept, when they were the last. Wrong bytes end the upload.
    func take(_ piece: [UInt8], at offset: Int64, of name: String) async throws -> Attachment? {
        guard var upload = open[name] else {
            throw ChatError(.unknown, "no such upload (any more); begin anew")
        }
        // The same piece once more: its answer was lost.
        if offset == upload.taken - Int64(piece.count), !piece.isEmpty { return nil }
        guard offset == upload.taken, upload.taken + Int64(piece.count) <= upload.bytes, !piece.isEmpty else {
            drop(name)
            throw ChatError(.badRequest, "a piece at \(offset) does not follow the \(upload.taken) bytes that came")
        }
        do {
            try upload.file.write(contentsOf: piece)
        } catch {
            drop(name)
            throw ChatError(.failed, "the file is not kept: \(error.localizedDescription)")
        }
        upload.hash.add(piece)
        upload.taken += Int64(piece.count)
        count += 1
        upload.touched = count
        open[name] = upload
        guard upload.taken == upload.bytes else { return nil }
        return try await finish(name, upload)
    }

    /// How many bytes came.
    func taken(_ name: String) -> Int64 { open[name]?.taken ?? 0 }

    private func finish(_ name: String, _ upload: Upload) async throws -> Attachment {
        defer { drop(name) }
        guard fsync(upload.file.fileDescriptor) == 0, let hash = upload.hash.finish() else {
            throw ChatError(.failed, "the file could not be synced: \(String(cString: strerror(errno)))")
        }
        guard let mime = try Self.mediaType(of: upload.path) else {
            throw ChatError(
                .badRequest, "only text (UTF-8), PNG, JPEG, GIF, WebP and PDF are taken; this is none of them")
        }
        try await store.keep(hash, mime, bytes: upload.bytes, from: upload.path)
        return Attachment(id: hash, name: "file", mime: mime, bytes: Int(upload.bytes))
    }

    /// By its content; what it is called says nothing.
    private static func mediaType(of path: String) throws -> MediaType? {
        let content = Array(try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
        return MediaType(head: Array(content.prefix(MediaType.headBytes))) ?? (MediaType.isText(content) ? .text : nil)
    }

    private func drop(_ name: String) {
        guard let upload = open.removeValue(forKey: name) else { return }
        try? upload.file.close()
        unlink(upload.path)
    }
}
