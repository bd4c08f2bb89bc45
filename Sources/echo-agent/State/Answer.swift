/// The rules that make an answer. Each answer says what makes it and how to get a real one.
struct Answer: Sendable {
    /// Text that is streamed, cut so that each piece ends before a word begins.
    let words: [String]
    /// How many of them, from the first, come one each `slowPause`.
    let slowWords: Int

    /// Pause before each word of `/slow N`.
    static let slowPause = Duration.milliseconds(100)
    /// Most words that `/slow N` gives.
    static let slowLimit = 10_000
    /// Most words that `/long N` gives, each of about `longWord` bytes.
    static let longLimit = 1000
    /// Bytes of a word of `/long N`.
    static let longWord = 1000
    /// Bytes of the user's text that are repeated.
    static let echoLimit = 4096

    private static let whoAmI = """
        I am the built-in echo agent, not an AI: I only repeat what you write. \
        To talk to a real agent, install opencode (see opencode.ai/docs), then `nexusctl reload`; \
        where Nexus is a service of the system, `sudo nexusctl agent install PATH --restart` does both.
        """

    /// The answer to a prompt.
    init(to text: String, attachments: [String]) {
        if let count = Self.count(behind: "/long", in: text, limit: Self.longLimit) {
            let rest = String(repeating: "x", count: Self.longWord)
            words = (1...count).map { "word-\($0)-\(rest) " } + Self.split("\n\n" + Self.whoAmI)
            slowWords = 0
            return
        }
        if let count = Self.count(behind: "/slow", in: text, limit: Self.slowLimit) {
            words = (1...count).map { "word-\($0) " } + Self.split("\n\n" + Self.whoAmI)
            slowWords = count
            return
        }
        var answer = "You wrote: \(Self.cut(text))\n\n\(Self.whoAmI)"
        if !attachments.isEmpty {
            answer += " (I cannot read attachments: \(attachments.joined(separator: ", ")) left out.)"
        }
        words = Self.split(answer)
        slowWords = 0
    }

    /// `/slow N` anywhere in the prompt: N words, 100 ms each; `/long N`: N long ones.
    private static func count(behind word: String, in text: String, limit: Int) -> Int? {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard let place = fields.firstIndex(where: { $0 == word }), place + 1 < fields.endIndex,
            let count = Int(fields[place + 1]),
            (1...limit).contains(count)
        else { return nil }
        return count
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > echoLimit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: echoLimit)
        while text.utf8[end] & 0xC0 == 0x80 { text.utf8.formIndex(before: &end) }
        return text[..<end] + "… (\(text.utf8.count) bytes in all)"
    }

    private static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var wasSpace = false
        for character in text {
            if wasSpace, !character.isWhitespace {
                words.append(word)
                word = ""
            }
            word.append(character)
            wasSpace = character.isWhitespace
        }
        return words + [word]
    }
}
