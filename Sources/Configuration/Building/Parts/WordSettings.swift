import SupervisorCore
import Wire

/// `[word]` as the JSON that chat-bridge gets:
/// `{"send":["turn"],"text":"none","webhook":"","contact":"","push-to":"public"}`.
struct WordSettings {
    let json: String

    init(reader: SectionReader) {
        var json = JSONWriter()
        json.object {
            $0.array("send") { json in for kind in reader(WordKeys.send) { json.value(kind) } }
            $0.field("text", reader(WordKeys.text))
            $0.field("webhook", reader(WordKeys.webhook))
            $0.field("contact", reader(WordKeys.contact))
            $0.field("push-to", reader(WordKeys.pushTo))
        }
        self.json = String(decoding: json.bytes, as: UTF8.self)
    }
}
