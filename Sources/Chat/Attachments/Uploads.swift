import Cryptography
import Foundation
import Glibc

/// Files on their way here, in pieces that each come with an ordinary request. Each is written to a work file; only a whole
/// one of a known kind is kept. After a restart of chat-bridge an upload begins anew.
public actor Uploads {
    /// Open at once. For the one that comes goes the one that waits for longest, of whoever has the most.
    static let limit = 16
    /// Bytes of one piece, before base64: it fits the body of a request.
    public static let pieceBytes = 45_000

    private let store: ChatStore
    nonisolated let limits: AttachmentLimits
    private var open: [String: Upload] = [:]
    private var count: UInt64 = 0

    private struct Upload {
        let path: String
        let file: FileHandle
        let bytes: Int64
        let sender: Asker?
        var taken: Int64 = 0
        let hash = SHA256Hash()
        var touched: UInt64

        /// What is wrong with a piece of so many bytes at that place; nil when it is the next one.
        func objection(to count: Int, at offset: Int64) -> String? {
            if count == 0 { return "the piece at \(offset) is empty" }
            if offset != taken { return "a piece at \(offset) does not follow the \(taken) bytes that came" }
            guard Int64(count) > bytes - taken else { return nil }
            return "a piece of \(count) bytes at \(offset) goes beyond the \(bytes) that were announced"
        }
    }

    /// Into one store.
    public init(store: ChatStore, limits: AttachmentLimits) {
        self.store = store
        self.limits = limits
    }

    /// Begins one of so many bytes; its name. Nothing is allocated before the limits were looked at.
    func begin(bytes: Int64, from sender: Asker? = nil, now: Date = Date()) async throws -> String {
        guard bytes != 0 else { throw ChatError(.badRequest, "the file is empty") }
        guard bytes > 0 else { throw ChatError(.badRequest, "no file has \(bytes) bytes: `bytes` says how many come") }
        guard bytes <= limits.file else {
            throw ChatError(
                .badRequest,
                "the file has \(bytes) bytes; at most \(limits.file) are taken ([chat] attachment). Put it into the "
                    + "workspace and name it")
        }
        try await makeRoom(for: bytes, now)
        if open.count >= Self.limit, let oldest = oldestOfMost(with: sender) { drop(oldest) }
        count += 1
        let name = "u\(count)-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        if let why = store.attachmentTrouble() { throw ChatError(.failed, why) }
        let path = "\(store.attachmentDirectory)/\(name).partial"
        try StoreFile.create(path)
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw ChatError(.failed, "cannot write \(path)")
        }
        open[name] = Upload(path: path, file: file, bytes: bytes, sender: sender, touched: count)
        return name
    }

    /// Of who has the most with the one that he begins now: nobody ends those of others by beginning many.
    private func oldestOfMost(with sender: Asker?) -> String? {
        let bySender = Dictionary(grouping: open, by: \.value.sender)
        let most = bySender.max { one, other in
            (one.value.count + (one.key == sender ? 1 : 0), one.key == sender ? 1 : 0)
                < (other.value.count + (other.key == sender ? 1 : 0), other.key == sender ? 1 : 0)
        }
        return most?.value.min { $0.value.touched < $1.value.touched }?.key
    }

    /// Before somebody is refused, what others uploaded and did not send goes.
    private func makeRoom(for bytes: Int64, _ now: Date) async throws {
        if try await hasRoom(for: bytes) { return }
        try await store.sweepAttachments(now: now, unsentAge: ChatStore.unsentAgeInNeed)
        if try await hasRoom(for: bytes) { return }
        let unsent = try await store.unsentBytes()
        let wait =
            unsent == 0 ? "" : "; \(unsent) bytes of them are in no message yet, and go an hour after they came"
        throw ChatError(
            .badRequest,
            "the attachments that are kept have no room for it ([chat] attachments, \(limits.total) bytes); delete "
                + "sessions with large ones\(wait)")
    }

    /// What is promised is counted last: others begin theirs while the store is asked.
    private func hasRoom(for bytes: Int64) async throws -> Bool {
        let kept = try await store.attachmentBytes()
        return open.values.reduce(kept + bytes) { $0 + $1.bytes } <= limits.total
    }

    /// Takes the next bytes; what is kept, when they were the last. Wrong bytes end the upload.
    func take(_ piece: [UInt8], at offset: Int64, of name: String) async throws -> Attachment? {
        guard var upload = open[name] else {
            throw ChatError(
                .unknown,
                "there is no upload '\(name.prefix(40))' (any more): a wrong piece ends one, \(Self.limit) newer ones, and a restart of "
                    + "chat-bridge; begin it anew")
        }
        // The same piece once more: its answer was lost.
        if offset >= 0, offset == upload.taken - Int64(piece.count), !piece.isEmpty { return nil }
        if let why = upload.objection(to: piece.count, at: offset) {
            drop(name)
            throw ChatError(.badRequest, "upload '\(name)': \(why). It is ended; begin it anew")
        }
        do {
            try upload.file.write(contentsOf: piece)
        } catch {
            drop(name)
            let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace
            let why =
                isFull
                ? "no room is left on the disk of \(upload.path)" : StoreFailure.words(error, path: upload.path)
            throw ChatError(
                .failed, "upload '\(name)': the file is not kept: \(why). Begin it anew when that is mended")
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
            throw ChatError(
                .failed,
                "upload '\(name)': \(upload.path) could not be synced (\(String(cString: strerror(errno)))); see to the disk, and "
                    + "begin it anew")
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
