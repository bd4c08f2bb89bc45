/// What was printed of one block, and how much of it was told since the block was last told whole: a block that comes
/// again, in however many pieces, is printed on from where it differs in length only.
struct ShownText {
    /// What is to be printed.
    enum Next: Equatable {
        /// Behind what stands there.
        case more(String)
        /// In a place of its own: it is not what stands there.
        case anew(String)
    }

    private var printed: [UInt8] = []
    /// Bytes of `printed` that were told again; nil: nothing is told again.
    private var repeated: Int?

    /// Takes a piece of the block. `isWhole`: in place of all that came of it.
    mutating func take(_ text: String, isWhole: Bool) -> Next {
        if isWhole { repeated = 0 }
        guard let told = repeated else {
            printed += text.utf8
            return .more(text)
        }
        let bytes = Array(text.utf8)
        let known = printed[told...].prefix(bytes.count)
        guard bytes.starts(with: known) else {
            // The pieces told before this one are what was printed; that stands there as far as it goes.
            let again = Array(printed[..<told]) + bytes
            printed = again
            repeated = nil
            return .anew(String(decoding: again, as: UTF8.self))
        }
        printed += bytes[known.count...]
        repeated = told + bytes.count
        return .more(String(decoding: bytes[known.count...], as: UTF8.self))
    }
}
