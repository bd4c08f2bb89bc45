import Foundation

/// A word as it goes out: one JSON object, the same to everybody.
struct WordMessage: Codable {
    var type = "word"
    /// Names this word for ever: who gets it twice can tell.
    var id: String
    var kind: Word.Kind
    var sentence: String
    var urgent: Bool
    /// Milliseconds since 1970.
    var created: Int64
    var session: SessionID?
    var turn: TurnID?
    /// `done`, `failed`, `interrupted`.
    var state: TurnState?
    /// `permission`, `question`.
    var asking: String?
    /// The only text of the chat, and only where the owner wants it.
    var title: String?
    var child: String?
    var cause: String?
    /// The new address.
    var url: String?
    /// By which a device comes in there again, once; the only part that is another for each receiver.
    var link: String?
    /// That device.
    var device: DeviceID?

    init(_ word: Word, id: String, title: String?, created: Int64) {
        self.id = id
        self.created = created
        self.title = title
        kind = word.kind
        sentence = word.sentence
        urgent = word.isUrgent
        session = word.session
        switch word {
        case .turn(_, let turn, let state):
            self.turn = turn
            self.state = state
        case .asked(_, let turn, _, let asking):
            self.turn = turn
            self.asking = asking.rawValue
        case .parked(let child, let cause, _):
            self.child = child
            self.cause = cause
        case .address(let url, _): self.url = url
        }
    }

    /// The same with a receiver's own link.
    static func with(link: String, of device: DeviceID, in body: String) -> String {
        guard var message = try? JSONDecoder().decode(Self.self, from: Data(body.utf8)) else { return body }
        message.link = link
        message.device = device
        return message.json
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts and numbers only: there is nothing that cannot be encoded.
        return (try? String(decoding: encoder.encode(self), as: UTF8.self)) ?? "{}"
    }
}
