/// Escape sequences (ECMA-48) in text of others: a terminal would act on them, and without their first character the rest
/// would stand in the text.
public enum EscapeSequence {
    /// The text without those that are whole. What begins one and does not end it stays, for whoever blanks control characters:
    /// nobody hides the rest of a line.
    public static func removed(from text: String) -> String {
        guard text.unicodeScalars.contains(where: isIntroducer) else { return text }
        var kept = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            if isIntroducer(scalar), let end = end(of: rest) {
                rest = rest[end...]
            } else {
                kept.append(scalar)
                rest = rest.dropFirst()
            }
        }
        return String(kept)
    }

    /// ESC, CSI and the beginnings of strings (DCS, SOS, OSC, PM, APC), each one character of C1 as well.
    private static func isIntroducer(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1B, 0x90, 0x98, 0x9B, 0x9D...0x9F: true
        case _: false
        }
    }

    private typealias Scalars = Substring.UnicodeScalarView

    /// Behind the sequence at the start; nil: it is not whole.
    private static func end(of text: Scalars) -> Scalars.Index? {
        guard let first = text.first else { return nil }
        var rest = text.dropFirst()
        var kind = first.value
        if kind == 0x1B {
            guard let second = rest.popFirst() else { return nil }
            switch second.value {
            // ESC and a letter of this range are the same as one character of C1.
            case 0x40...0x5F: kind = second.value + 0x40
            case 0x20...0x2F: return afterFinal(of: rest, 0x30...0x7E)
            case 0x30...0x3F, 0x60...0x7E: return rest.startIndex
            case _: return nil
            }
        }
        switch kind {
        case 0x9B: return afterFinal(of: rest.drop { (0x30...0x3F).contains($0.value) }, 0x40...0x7E)
        case 0x90, 0x98, 0x9D...0x9F: return afterString(rest)
        case _: return rest.startIndex
        }
    }

    /// Intermediate characters, then one of these.
    private static func afterFinal(of text: Scalars, _ finals: ClosedRange<UInt32>) -> Scalars.Index? {
        var rest = text.drop { (0x20...0x2F).contains($0.value) }
        guard let final = rest.popFirst(), finals.contains(final.value) else { return nil }
        return rest.startIndex
    }

    /// Up to ST, as ESC \\ or as one character, or to BEL, with which terminals take it for ended too. No string goes over
    /// a line, nor over the beginning of another sequence (ECMA-48, 5.6: none is in a command string): so no character is
    /// looked at for each of many beginnings before it.
    private static func afterString(_ text: Scalars) -> Scalars.Index? {
        var rest = text
        while let scalar = rest.popFirst() {
            switch scalar.value {
            case 0x07, 0x9C: return rest.startIndex
            case 0x1B: return rest.popFirst() == "\\" ? rest.startIndex : nil
            case 0x0A: return nil
            case _ where isIntroducer(scalar): return nil
            case _: continue
            }
        }
        return nil
    }
}
