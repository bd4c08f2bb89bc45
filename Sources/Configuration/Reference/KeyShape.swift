/// What an editor can know of a value before nexus-config sees it: no more than its form. Names, rights and what holds
/// between keys are nexus-config's.
indirect enum KeyShape: Sendable {
    case flag
    /// `false` and nothing else.
    case never
    case integer(ClosedRange<Int>)
    /// `"30s"`, `"1min 30s"`.
    case duration
    /// `"64KiB"`, or bytes.
    case size
    case text
    /// One of a few.
    case word([String])
    case list(of: KeyShape)
    /// A table with keys of its own, by the title of its section.
    case section(String)
    /// A table whose keys are names.
    case map(of: KeyShape)
    /// A table that has exactly these, all texts.
    case fields([String])
    /// Any of these.
    case any([KeyShape])

    /// The title of the section whose keys this value has.
    var sectionTitle: String? {
        switch self {
        case .section(let title): title
        case .list(let element): element.sectionTitle
        case .any(let shapes): shapes.lazy.compactMap(\.sectionTitle).first
        case .flag, .never, .integer, .duration, .size, .text, .word, .map, .fields: nil
        }
    }
}
