/// What is said of a book of runs that can be read in part only.
struct BookDamage {
    /// Those that are no lines of a book.
    let lines: Int
    let path: String

    var words: String {
        "\(lines == 1 ? "one line" : "\(lines) lines") of \(path), which could not be read: damaged"
    }

    var remedy: String {
        "the next log-writer moves it aside and goes on with what can be read: nexusctl restart log-writer"
    }
}
