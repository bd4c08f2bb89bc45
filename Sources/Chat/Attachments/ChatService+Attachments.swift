import Foundation

extension ChatService {
    private struct BegunLine: Encodable {
        var type = "upload"
        var upload: String
        var piece = Uploads.pieceBytes
    }

    private struct TakenLine: Encodable {
        var type = "taken"
        var bytes: Int64
    }

    private struct KeptLine: Encodable {
        var type = "attachment"
        var id: String
        var mime: MediaType
        var bytes: Int
    }

    /// Begins an upload of somebody's.
    func upload(bytes: Int64, by sender: Asker?) async throws -> [UInt8] {
        try Self.json(BegunLine(upload: try await uploads.begin(bytes: bytes, from: sender)))
    }

    /// Takes a piece of one.
    func take(_ piece: Data, at offset: Int64, of upload: String) async throws -> [UInt8] {
        guard piece.count <= Uploads.pieceBytes else {
            throw ChatError(.badRequest, "a piece has at most \(Uploads.pieceBytes) bytes")
        }
        guard let kept = try await uploads.take(Array(piece), at: offset, of: upload) else {
            return try Self.json(TakenLine(bytes: await uploads.taken(upload)))
        }
        return try Self.json(KeptLine(id: kept.id, mime: kept.mime, bytes: kept.bytes))
    }

    /// The content of an attachment: what it is, and its file.
    public func attachment(_ id: String) async throws -> (Attachment, path: String) {
        let path = try store.path(ofAttachment: id)
        guard let known = try await store.attachment(id), FileManager.default.fileExists(atPath: path) else {
            throw ChatError(.unknown, "this attachment is not kept here (any more)")
        }
        return (known, path)
    }
}
