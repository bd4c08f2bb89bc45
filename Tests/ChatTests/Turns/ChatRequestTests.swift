import Chat
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ChatRequestTests {
    /// Who writes a client of his own finds the member, not only the operation that he has named already.
    @Test(arguments: [
        (#"{"op":"send","client_id":"c"}"#, "send: text is missing; text is a text"),
        (#"{"op":"send","text":7,"client_id":"c"}"#, "send: text is not good; text is a text"),
        (#"{"op":"send","text":null,"client_id":"c"}"#, "text is a text"),
        (
            #"{"op":"send","text":"x","client_id":"c","attachments":[{"id":"a","name":"b"},{"id":"a"}]}"#,
            #"send: attachments[1].name is missing; attachments is a list of {"id":ID,"name":NAME}"#
        ),
        (#"{"op":"resume","session":"s","after":1.5}"#, "resume: after is not good; after is a whole number"),
        (#"{"op":"resume","session":"s","after":-"}"#, "not understood; chat-bridge takes JSON with op: send, list,"),
        (#"{"op":"resume","session":"s","follow":"yes"}"#, "resume: follow is not good; follow is true or false"),
        (#"{"op":"open"}"#, "open: session is missing; session is a text"),
        (#"{"op":"open","session":"s","turn":"one"}"#, "open: turn is not good; turn is a whole number"),
        (#"{"op":"piece","data":"?","at":0,"upload":"u"}"#, "piece: data is not good; data is a text: bytes as base64"),
        (#"{"op":"choose","session":"s","model":7}"#, "choose: model is not good; model is a text, or null"),
        (
            #"{"op":"answer","session":"s","id":"i","reply":"maybe"}"#,
            #"answer: reply is not good; reply is "once", "always", "reject" or "dismiss""#
        ),
        (#"{"op":"answer","session":"s","id":"i"}"#, "answer: reply is missing; reply is"),
        (
            #"{"op":"answer","session":"s","id":"i","answers":["a"]}"#,
            "answer: answers[0] is not good; answers is a list of lists of texts"
        ),
        (#"{"op":"export","session":"s","format":"pdf"}"#, #"format is "markdown" or "json""#),
        (#"{"op":"sing"}"#, "unrevert, upload, piece, catalog, choose, answer, export, describe"),
        ("{}", "not understood; chat-bridge takes JSON with op: send,"), ("[]", "takes JSON with op"),
        ("no JSON", "takes JSON with op"),
    ]) func badMember_isNamedWithWhatItTakes(_ payload: String, _ words: String) {
        let error = #expect(throws: ChatError.self) { try ChatRequest(payload: Array(payload.utf8)) }
        #expect(error?.code == .badRequest && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        #"\ud800"#, #"a\uD83D b"#, #"\udc00"#, #"\ud83d\ud83d\ude00"#, #"\\\ud800"#, #"\ude00\ud83d"#,
    ]) func halfACharacter_isRefusedInWords(text: String) {
        for member in ["text", "client_id", "odd"] {
            let payload = #"{"op":"send","text":"x","client_id":"1","\#(member)":"\#(text)"}"#
            do {
                _ = try ChatRequest(payload: Array(payload.utf8))
                Issue.record("taken: \(payload)")
            } catch {
                #expect(error.code == .badRequest && error.message.contains("holds half a character"), "\(error)")
            }
        }
    }

    @Test(arguments: [#"\ud83d\ude00"#, #"\\ud800"#, #"\u00e9\n\\"#, #"\ufffd"#, "\u{1F600}"])
    func wholeCharacters_areTaken(text: String) throws {
        let payload = #"{"op":"send","text":"\#(text)","client_id":"1"}"#
        _ = try ChatRequest(payload: Array(payload.utf8))
    }
}
