import Foundation
import Testing

@testable import Chat

/// Swift Testing has one too.
private typealias Attachment = Chat.Attachment

/// Files of messages: how they come, what they may be, when they go, and what crashes leave.
@Suite(.timeLimit(.minutes(2)))
struct AttachmentTests {
    private let box: StoreBox

    init() throws { box = try StoreBox() }

    private func uploads(_ limits: AttachmentLimits = AttachmentLimits()) async throws -> Uploads {
        try await box.store.clearAttachments()
        return Uploads(store: box.store, limits: limits)
    }

    /// Uploads in pieces of so many bytes.
    private func upload(
        _ content: [UInt8], _ uploads: Uploads, pieces: Int = 1000
    ) async throws -> Attachment {
        let name = try await uploads.begin(bytes: Int64(content.count))
        var kept: Attachment?
        for start in stride(from: 0, to: content.count, by: pieces) {
            #expect(kept == nil)
            let piece = Array(content[start..<min(start + pieces, content.count)])
            kept = try await uploads.take(piece, at: Int64(start), of: name)
        }
        return try #require(kept)
    }

    private func send(
        _ references: [AttachmentReference], client: String = UUID().uuidString
    ) async throws -> ChatTurn {
        var generator = SystemRandomNumberGenerator()
        return try await box.store.accept(
            Submission(session: nil, text: "look", clientID: client, attachments: references),
            newSession: .random(using: &generator), before: .start, workspaces: Workspaces(names: nil)
        ).turn
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: box.directory + "/attachments").sorted()
    }

    private let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Array(repeating: 7, count: 5000)

    @Test(arguments: [Int64.max, .min, .max - 1, -1, 1, 6])
    func pieceAtAnyOtherPlace_endsTheUploadInWords(place: Int64) async throws {
        let uploads = try await uploads()
        let name = try await uploads.begin(bytes: 5)
        let error = await #expect(throws: ChatError.self) {
            try await uploads.take(Array("ab".utf8), at: place, of: name)
        }
        #expect(error?.code == .badRequest)
        #expect(error?.message.contains("upload '\(name)': a piece at \(place) does not follow the 0 bytes") == true)
    }

    @Test(arguments: [(Int64(0), "the file is empty"), (-1, "no file has -1 bytes"), (.min, "no file has -92233")])
    func sizeThatNoFileHas_isRefusedInWords(bytes: Int64, words: String) async throws {
        let uploads = try await uploads()
        let error = await #expect(throws: ChatError.self) { try await uploads.begin(bytes: bytes) }
        #expect(error?.code == .badRequest && error?.message.hasPrefix(words) == true)
    }

    /// Which upload, what is wrong with it, and what to do.
    @Test func wrongPieces_areNamedWithTheRemedy() async throws {
        let uploads = try await uploads()
        let cases: [(count: Int, at: Int64, why: String)] = [
            (0, 3, "the piece at 3 is empty"), (2, 4, "a piece at 4 does not follow the 3 bytes that came"),
            (3, 3, "a piece of 3 bytes at 3 goes beyond the 5 that were announced"),
        ]
        for (count, place, why) in cases {
            let name = try await uploads.begin(bytes: 5)
            #expect(try await uploads.take(Array("abc".utf8), at: 0, of: name) == nil)
            let piece = [UInt8](repeating: 0x61, count: count)
            let error = await #expect(throws: ChatError.self) { try await uploads.take(piece, at: place, of: name) }
            #expect(error?.message == "upload '\(name)': \(why). It is ended; begin it anew")
            let gone = await #expect(throws: ChatError.self) { try await uploads.take([0x61], at: 3, of: name) }
            #expect(gone?.message.contains("there is no upload '\(name)' (any more)") == true)
            #expect(gone?.message.hasSuffix("begin it anew") == true)
        }
    }

    @Test func content_isKeptOnce_byItsHash() async throws {
        let uploads = try await uploads()
        let first = try await upload(Array("hello".utf8), uploads)
        // RFC 6234's function of these five bytes.
        #expect(first.id == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        #expect(first.mime == .text && first.bytes == 5)
        #expect(try await upload(Array("hello".utf8), uploads, pieces: 2).id == first.id)
        let second = try await upload(png, uploads)
        #expect(second.mime == .png)
        #expect(try names() == [first.id, second.id].sorted())
        #expect(FileManager.default.contents(atPath: box.directory + "/attachments/" + second.id) == Data(png))
        let mode = try FileManager.default.attributesOfItem(atPath: box.directory + "/attachments/" + first.id)
        #expect(mode[.posixPermissions] as? Int == 0o600)
    }

    /// The content is gone, or not whole, and its row is still there: as after a crash or a transaction that was undone.
    @Test func rowWithoutItsContent_goesWithNoMessage_andComesBackByAnUpload() async throws {
        let uploads = try await uploads()
        let kept = try await upload(png, uploads)
        let reference = AttachmentReference(id: kept.id, name: "p.png")
        let path = box.directory + "/attachments/" + kept.id
        try Data(png.dropLast()).write(to: URL(fileURLWithPath: path))
        await #expect(throws: ChatError.self) { try await send([reference]) }
        try FileManager.default.removeItem(atPath: path)
        let error = await #expect(throws: ChatError.self) { try await send([reference]) }
        #expect(error?.code == .badRequest && error?.message.contains("attach it again") == true)
        #expect(try await box.store.sessions().isEmpty)
        _ = try await upload(png, uploads)
        #expect(try await send([reference]).attachments.map(\.id) == [kept.id])
    }

    @Test(
        arguments: [
            ([0xFF, 0xD8, 0xFF, 0xE0], MediaType.jpeg), (Array("GIF89a..".utf8), .gif), (Array("%PDF-1.7".utf8), .pdf),
            (Array("RIFF1234WEBPVP8 ".utf8), .webp), (Array("Grüße\t👋\n".utf8), .text),
            (Array("<svg onload=alert(1)>".utf8), .text), (Array("<html>".utf8), .text),
        ] as [([UInt8], MediaType)])
    func kind_isFoundInTheContent(content: [UInt8], mime: MediaType) async throws {
        #expect(try await upload(content, try await uploads()).mime == mime)
    }

    @Test(
        arguments: [
            [0x7F, 0x45, 0x4C, 0x46, 2, 1], [0x50, 0x4B, 3, 4, 0, 0], [0xC3, 0x28, 0x41], [0x41, 0x00, 0x42],
        ] as [[UInt8]])
    func otherKinds_areRefusedAndLeaveNothing(content: [UInt8]) async throws {
        let uploads = try await uploads()
        let failure = await #expect(throws: ChatError.self) { try await upload(content, uploads) }
        #expect(failure?.message.contains("only text (UTF-8), PNG, JPEG, GIF, WebP and PDF") == true)
        #expect(try names() == [])
    }

    @Test func limits_areLookedAtBeforeAnythingIsMade() async throws {
        let uploads = try await uploads(AttachmentLimits(file: 1000, total: 2500))
        for bytes in [0, -1, 1001, .max] as [Int64] {
            await #expect(throws: ChatError.self) { try await uploads.begin(bytes: bytes) }
        }
        #expect(try names() == [])
        _ = try await upload(Array(repeating: 0x61, count: 1000), uploads)
        // What is promised counts as what is there.
        _ = try await uploads.begin(bytes: 1000)
        let failure = await #expect(throws: ChatError.self) { try await uploads.begin(bytes: 501) }
        #expect(failure?.message.contains("no room") == true)
    }

    @Test func piecesOutOfOrder_orTooMany_endTheUpload() async throws {
        let uploads = try await uploads()
        for (offset, count) in [(1, 1), (0, 11), (5, 5), (-1, 1)] as [(Int64, Int)] {
            let name = try await uploads.begin(bytes: 10)
            let piece = [UInt8](repeating: 0x61, count: count)
            await #expect(throws: ChatError.self) { try await uploads.take(piece, at: offset, of: name) }
            let failure = await #expect(throws: ChatError.self) { try await uploads.take([0x61], at: 0, of: name) }
            #expect(failure?.code == .unknown)
        }
        // The same piece once more, because its answer was lost.
        let name = try await uploads.begin(bytes: 4)
        for _ in 0..<2 { #expect(try await uploads.take(Array("ab".utf8), at: 0, of: name) == nil) }
        #expect(try await uploads.take(Array("cd".utf8), at: 2, of: name)?.bytes == 4)
        #expect(try names().count == 1)
        // More at once than there may be: the one that waits for longest goes.
        var begun: [String] = []
        for _ in 0...Uploads.limit { begun.append(try await uploads.begin(bytes: 2)) }
        await #expect(throws: ChatError.self) { try await uploads.take([0x61], at: 0, of: begun[0]) }
        #expect(try await uploads.take([0x61], at: 0, of: begun[1]) == nil)
        #expect(try names().count == 1 + Uploads.limit)
    }

    /// Whoever begins many ends his own.
    @Test func moreAtOnceThanThereMayBe_endThoseOfWhoHasTheMost() async throws {
        let uploads = try await uploads()
        // Devices that were given one name are two.
        let few = Asker.device(DeviceID(rawValue: "1"), name: "phone")
        let many = Asker.device(DeviceID(rawValue: "2"), name: "phone")
        let first = try await uploads.begin(bytes: 2, from: few)
        for _ in 0..<3 * Uploads.limit { _ = try await uploads.begin(bytes: 2, from: many) }
        #expect(try await uploads.take([0x61], at: 0, of: first) == nil)
        // And there is room for one more who has none yet.
        let other = try await uploads.begin(bytes: 2, from: .program("laptop"))
        _ = try await uploads.begin(bytes: 2, from: many)
        for name in [first, other] {
            #expect(try await uploads.take([0x62], at: await uploads.taken(name), of: name) == nil || name == first)
        }
        #expect(try names().count { $0.hasSuffix(".partial") } <= Uploads.limit)
    }

    @Test(arguments: [
        ("../../etc/passwd", "passwd"), ("/etc/passwd", "passwd"), ("..", "file"), ("", "file"), ("a\\b.txt", "b.txt"),
        ("x\u{0}\ny\u{202E}gpj.exe", "xygpj.exe"), ("Grüße 1.txt", "Grüße 1.txt"),
    ])
    func names_areNoPaths(given: String, kept: String) { #expect(Attachment.name(given) == kept) }

    @Test(arguments: ["../chat.sqlite", "", "..", String(repeating: "A", count: 64), String(repeating: "0", count: 63)])
    func ids_areNoPaths(id: String) async throws {
        _ = try await uploads()
        #expect(throws: ChatError.self) { try box.store.path(ofAttachment: id) }
        await #expect(throws: ChatError.self) { try await send([AttachmentReference(id: id, name: "x")]) }
        #expect(try await box.store.sessions().isEmpty)
    }

    @Test func message_hasItsFiles_boundedInNumberAndBytes() async throws {
        let uploads = try await uploads()
        let text = try await upload(Array("hello".utf8), uploads)
        let references = (0..<8).map { AttachmentReference(id: text.id, name: "n\($0)") }
        #expect(try await send(references).attachments.map(\.name) == references.map(\.name))
        await #expect(throws: ChatError.self) { try await send(references + [references[0]]) }
        let large = try await upload(Array(repeating: 0x61, count: 9_999_999), uploads, pieces: 45_000)
        await #expect(throws: ChatError.self) {
            try await send((0..<3).map { AttachmentReference(id: large.id, name: "l\($0)") })
        }
        // With other files it is another message.
        _ = try await send([], client: "same")
        let failure = await #expect(throws: ChatError.self) { try await send([references[0]], client: "same") }
        #expect(failure?.code == .badRequest)
    }

    @Test func contentGoesWithItsLastMessage_andUnsentContentAfterAWeek() async throws {
        let uploads = try await uploads()
        let shared = try await upload(Array("shared".utf8), uploads)
        let unsent = try await upload(Array("unsent".utf8), uploads)
        var turns: [ChatTurn] = []
        for _ in 0..<2 {
            let turn = try await send([AttachmentReference(id: shared.id, name: "s.txt")])
            try await box.store.end(turn.id, .done, reason: nil, last: [])
            turns.append(turn)
        }
        try await box.store.delete(turns[0].session)
        try await box.store.sweepAttachments()
        #expect(try names() == [shared.id, unsent.id].sorted())
        try await box.store.delete(turns[1].session)
        try await box.store.sweepAttachments()
        #expect(try names() == [unsent.id])
        try await box.store.sweepAttachments(now: Date().addingTimeInterval(8 * 86_400))
        #expect(try names() == [])
        await #expect(throws: ChatError.self) { try await send([AttachmentReference(id: unsent.id, name: "u")]) }
    }

    @Test func unsentContent_isNamedWhereThereIsNoRoom_andMakesRoomAfterAnHour() async throws {
        let uploads = try await uploads(AttachmentLimits(file: 600, total: 1000))
        let unsent = try await upload(Array(repeating: UInt8(ascii: "a"), count: 600), uploads)
        let error = await #expect(throws: ChatError.self) { try await uploads.begin(bytes: 500) }
        #expect(error?.message.contains("600 bytes of them are in no message yet") == true)
        #expect(try names() == [unsent.id])
        _ = try await uploads.begin(bytes: 500, now: Date() + 3601)
        #expect(try !names().contains(unsent.id))
    }

    @Test func uploadsThatBeginAtOnce_shareTheRoom() async throws {
        let uploads = try await uploads(AttachmentLimits(file: 600, total: 1000))
        let begun = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { (try? await uploads.begin(bytes: 600)) != nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(begun == 1)
    }

    private func sweep(_ retention: Retention, now: Date = Date()) async throws -> [SessionID] {
        var gone: [SessionID] = []
        while true {
            switch try await box.store.sweep(retention, now: now) {
            case .forgot(let session): gone.append(session)
            case .more: continue
            case .done: return gone
            }
        }
    }

    private func say(_ files: [Attachment]) async throws -> SessionID {
        let turn = try await send(files.map { AttachmentReference(id: $0.id, name: "f") })
        try await box.store.end(turn.id, .done, reason: nil, last: [])
        return turn.session
    }

    @Test func filesCountInTotal_andGoWithTheLastSessionThatHasThem() async throws {
        let uploads = try await uploads()
        let own = try await upload([UInt8](repeating: 0x61, count: 3_000_000), uploads, pieces: 45_000)
        let shared = try await upload([UInt8](repeating: 0x62, count: 2_000_000), uploads, pieces: 45_000)
        let unsent = try await upload([UInt8](repeating: 0x63, count: 5_000_000), uploads, pieces: 45_000)
        let first = try await say([own, shared])
        let second = try await say([shared])
        let third = try await say([])
        // A file that no message has goes by its own age: no session is to go for it.
        #expect(try await sweep(Retention(total: 6_000_000)).isEmpty)
        #expect(try await sweep(Retention(total: 4_000_000)) == [first])
        // As SIGKILL leaves it: the files are there, and go at the next start. What another session has stays.
        #expect(try names().count == 3)
        try box.reopen()
        try await box.store.clearAttachments()
        #expect(try names() == [shared.id, unsent.id].sorted())
        #expect(try await sweep(Retention(maxAge: .seconds(60)), now: Date() + 3600).count == 2)
        try await box.store.sweepAttachments()
        #expect(try names() == [unsent.id])
        #expect(try await box.store.sessions().allSatisfy { ![first, second, third].contains($0.id) })
    }

    /// Each state that a SIGKILL between two steps leaves, and the next start.
    @Test func crashesBetweenFileAndRow_leaveNothingWrong() async throws {
        let kept = try await upload(Array("kept".utf8), try await uploads())
        let turn = try await send([AttachmentReference(id: kept.id, name: "k.txt")])
        let directory = box.directory + "/attachments/"
        // In the middle of an upload; and in its place, but not in the store.
        try Data("half".utf8).write(to: URL(fileURLWithPath: directory + "u1-x.partial"))
        let stray = String(repeating: "a", count: 64)
        try Data("stray".utf8).write(to: URL(fileURLWithPath: directory + stray))
        // Gone, with its row still there: uploaded again it is whole again.
        let lost = try await upload(Array("lost".utf8), Uploads(store: box.store, limits: AttachmentLimits()))
        try FileManager.default.removeItem(atPath: directory + lost.id)
        try box.reopen()
        let uploads = try await uploads()
        #expect(try names() == [kept.id])
        #expect(
            try await box.store.turn(turn.id)?.attachments == [
                Attachment(id: kept.id, name: "k.txt", mime: .text, bytes: 4)
            ])
        #expect(try await upload(Array("lost".utf8), uploads).id == lost.id)
        #expect(try names() == [kept.id, lost.id].sorted())
        // Where an older store is kept its files may be these.
        try Data("stray".utf8).write(to: URL(fileURLWithPath: directory + stray))
        try Data().write(to: URL(fileURLWithPath: box.directory + "/chat.sqlite.damaged-x"))
        try await box.store.clearAttachments()
        #expect(try names().contains(stray))
    }

    /// Until somebody puts the store back: also at the starts after the first.
    @Test(arguments: [false, true]) func storeThatIsMissing_itsFilesStay_andThatIsSaid(isEmpty: Bool) async throws {
        let kept = try await upload(Array("kept".utf8), try await uploads())
        let turn = try await send([AttachmentReference(id: kept.id, name: "k.txt")])
        #expect(try await box.store.clearAttachments() == 0)
        try box.store.close()
        let away = box.directory + "-away"
        defer { try? FileManager.default.removeItem(atPath: away) }
        try FileManager.default.moveItem(atPath: box.store.path, toPath: away)
        if isEmpty { try Data().write(to: URL(fileURLWithPath: box.store.path)) }
        for _ in 0..<3 {
            try box.reopen()
            #expect(try await box.store.clearAttachments() == 1)
            #expect(try names() == [kept.id])
            try box.store.close()
        }
        try FileManager.default.removeItem(atPath: box.store.path)
        try FileManager.default.moveItem(atPath: away, toPath: box.store.path)
        try box.reopen()
        #expect(try await box.store.clearAttachments() == 0)
        #expect(try names() == [kept.id])
        #expect(try await box.store.turn(turn.id)?.attachments.map(\.name) == ["k.txt"])
    }

    @Test func backup_hasTheContents_andARestoreLaysThemBack() async throws {
        let content = png
        let kept = try await upload(content, try await uploads())
        let turn = try await send([AttachmentReference(id: kept.id, name: "p.png")])
        try await box.store.end(turn.id, .done, reason: nil, last: [])
        let backup = try await box.store.backup()
        var bytes: [UInt8] = []
        while case let piece = try backup.read(at: Int64(bytes.count), upTo: 10_000), !piece.isEmpty { bytes += piece }

        let other = try StoreBox()
        let restore = try StoreRestore(into: other.store, bytes: Int64(bytes.count))
        try restore.take(bytes)
        _ = try await restore.prepare()
        _ = try await other.store.replace(with: restore)
        try other.reopen()
        try await other.store.clearAttachments()
        #expect(try await other.store.turn(turn.id)?.attachments.map(\.name) == ["p.png"])
        #expect(FileManager.default.contents(atPath: other.directory + "/attachments/" + kept.id) == Data(content))
        // The store itself holds no contents.
        #expect(StoreFile.bytes(other.store.path) < Int64(bytes.count))

        // A content that is not what it was is refused.
        let place = try #require(bytes.firstRange(of: Array(content.suffix(4000))))
        var damaged = bytes
        damaged[place.lowerBound] ^= 1
        let third = try StoreBox()
        let wrong = try StoreRestore(into: third.store, bytes: Int64(damaged.count))
        try wrong.take(damaged)
        let failure = await #expect(throws: ChatError.self) { try await wrong.prepare() }
        #expect(failure?.message.contains("attachment") == true || failure?.message.contains("damaged") == true)
    }
}
