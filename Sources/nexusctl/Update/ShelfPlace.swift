import ControlClient
import System

/// Where the copies of one program lie, for everybody who may look.
struct ShelfPlace {
    let name: String
    let directory: String

    init(_ name: String, _ locations: Locations) {
        self.name = name
        directory = "\(locations.state)/programs/\(name)"
    }

    var bookFile: String { directory + "/book.json" }
    /// A relative link to the directory of the hash that holds.
    var link: String { directory + "/current" }
    /// What nexus-config finds, whichever holds: a switch is no other plan.
    var program: String { "\(link)/\(name)" }
    var incoming: String { directory + "/incoming" }
    var incomingProgram: String { "\(incoming)/\(name)" }

    func directory(of hash: String) -> String { "\(directory)/\(hash)" }
    func program(of hash: String) -> String { "\(directory)/\(hash)/\(name)" }

    /// What is written there; nothing was accepted where nothing is. Where the book is damaged the link is what is known.
    func read() -> (book: AcceptedBook, complaint: String?) {
        let kernel = LiveKernel()
        let linked = (try? kernel.readLink(link)).flatMap { AcceptedBook.isHash($0) ? $0 : nil }
        var found = AcceptedBook()
        found.current = linked.map { .copy($0) } ?? .search
        do throws(Errno) {
            let bytes = try kernel.readFile(bookFile, limit: AcceptedBook.limitBytes)
            guard let book = AcceptedBook(bytes) else {
                return (
                    found, "\(bookFile) is damaged: what runs goes on, and which version was before it is not known"
                )
            }
            return (book, nil)
        } catch {
            return (found, error == .noEntry ? nil : "\(bookFile) cannot be read: \(error)")
        }
    }

    /// Why a copy is not run; nil: it is what was accepted, by its hash.
    func damage(of source: AcceptedBook.Source) -> String? {
        guard case .copy(let hash) = source else { return nil }
        do throws(Errno) {
            let now = try ProgramFile.hash(of: program(of: hash), LiveKernel())
            return now == hash ? nil : "\(program(of: hash)) is damaged: its SHA-256 is \(now)"
        } catch {
            return "\(program(of: hash)) cannot be read: \(error)"
        }
    }
}
