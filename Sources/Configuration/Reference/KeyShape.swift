/// What an editor can know of a value before nexus-config sees it: no more than its form. Names, rights and what holds
/// between keys are nexus-config's.
indirect enum KeyShape: Sendable {
    /// `"30s"`, `"1min 30s"`.
    static func duration(_ range: ClosedRange<Duration>) -> KeyShape {
        .form(range.lowerBound > .zero ? .durationAboveZero : .duration)
    }

    static func names(_ form: TextForm, count: ClosedRange<Int> = 0...Int.max) -> KeyShape {
        .list(of: .form(form), count: count, isUnique: true)
    }

    case flag
    /// `false` and nothing else.
    case never
    case integer(ClosedRange<Int>)
    /// `"64KiB"`, or bytes.
    case size(ClosedRange<UInt64>)
    case text
    /// A text of a form that a pattern can tell.
    case form(TextForm)
    /// One of a few.
    case word([String])
    case list(of: KeyShape, count: ClosedRange<Int> = 0...Int.max, isUnique: Bool = false)
    /// A program and its arguments.
    case command
    /// A table with keys of its own, by the title of its section.
    case section(String)
    /// A table whose keys are names of this form.
    case map(of: KeyShape, names: TextForm)
    /// A table that may have these.
    case members([String: KeyShape])
    /// A table that has exactly these, all names.
    case fields([String])
    /// Any of these.
    case any([KeyShape])

    /// The title of the section whose keys this value has.
    var sectionTitle: String? {
        switch self {
        case .section(let title): title
        case .list(let element, _, _): element.sectionTitle
        case .any(let shapes): shapes.lazy.compactMap(\.sectionTitle).first
        case .flag, .never, .integer, .size, .text, .form, .word, .command, .map, .members, .fields: nil
        }
    }
}
