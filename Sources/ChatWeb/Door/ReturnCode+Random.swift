public import Chat

extension ReturnCode {
    /// A new one.
    public static func random() -> ReturnCode {
        var generator = SystemRandomNumberGenerator()
        let text = ReadableText.random(length, using: &generator)
        return ReturnCode(text: text, hash: Secrets.hash(text))
    }
}
