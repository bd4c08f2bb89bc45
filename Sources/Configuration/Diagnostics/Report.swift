import Wire

/// Collects what is wrong while the rest is still looked at, so that a person learns of everything in one go. What it quotes of a
/// file is on one line, and does nothing to the terminal on which it is read.
final class Report {
    /// Diagnostics that are shown; whoever has more has one mistake that causes many.
    static let limit = 20

    private let file: String
    private var diagnostics: Set<Diagnostic> = []
    /// Things worth a word that are no error.
    private(set) var notes: [String] = []

    /// Of a file that the tree can do without and that may be another any moment: of this look, and of no plan that is kept.
    private(set) var passing: [Passing] = []

    init(file: String) { self.file = file }

    /// True when nothing is wrong so far.
    var isClean: Bool { diagnostics.isEmpty }

    /// Something in Supervisor.toml is wrong.
    func error(_ position: Position?, _ message: String) { error(in: file, position, message) }

    /// Something in another file, which Supervisor.toml names, is wrong.
    func error(in file: String, _ position: Position?, _ message: String) {
        diagnostics.insert(
            Diagnostic(
                file: ControlText.escaped(file), position: position, message: ControlText.escaped(message)))
    }

    /// Something worth a word.
    func note(_ text: String) { notes.append(ControlText.escaped(text)) }

    /// Something that is so now, of a value at this place. `matters`: as things are written, something needs it.
    func noteNow(_ position: Position, matters: Bool, _ text: String) {
        passing.append(Passing(words: ControlText.escaped("\(file):\(position.line): \(text)"), matters: matters))
    }

    /// The same, however often it comes up.
    func noteOnce(_ text: String) { if !notes.contains(ControlText.escaped(text)) { note(text) } }

    /// Everything so far, sorted by place; nil when nothing is wrong.
    var failure: ConfigurationError? {
        if diagnostics.isEmpty { return nil }
        let file = ControlText.escaped(file)
        let sorted = diagnostics.sorted { left, right in
            // Supervisor.toml first: its mistakes may be the cause of what other files are blamed for.
            let rank = (left.file == file ? 0 : 1, right.file == file ? 0 : 1)
            if rank.0 != rank.1 { return rank.0 < rank.1 }
            if left.file != right.file { return left.file < right.file }
            let places = (left.position ?? .start, right.position ?? .start)
            return places.0 == places.1 ? left.message < right.message : places.0 < places.1
        }
        return ConfigurationError(
            diagnostics: Array(sorted.prefix(Report.limit)), omitted: max(0, sorted.count - Report.limit))
    }
}
