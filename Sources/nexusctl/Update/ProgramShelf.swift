import ControlClient
import Glibc
import System

/// STATE/programs/NAME: the accepted copies of one program, each in the directory of its hash, the link `current` by which the
/// tree comes to the one that holds, and the book. Held locked: only one trial at a time.
struct ProgramShelf: ~Copyable {
    let place: ShelfPlace
    private(set) var book: AcceptedBook
    private let lock: OwnedFD
    private let kernel = LiveKernel()

    /// Opens it; makes it where it is not there.
    init(_ name: String, _ locations: Locations) throws(ControlError) {
        let place = ShelfPlace(name, locations)
        for directory in [locations.state + "/programs", place.directory] { try Self.make(directory) }
        let held = try Self.lock(place)
        let found = place.read()
        if let complaint = found.complaint {
            try? LiveKernel().rename(place.bookFile, to: place.bookFile + ".damaged")
            Output.complain("nexusctl: \(Terminal.clean(complaint)); it is kept as book.json.damaged")
        }
        self.place = place
        book = found.book
        lock = held
        sweep()
    }

    private static func make(_ directory: String) throws(ControlError) {
        let kernel = LiveKernel()
        do throws(Errno) {
            try kernel.makeDirectory(directory, mode: 0o755)
            // Whatever the umask says.
            try kernel.changeMode(directory, to: 0o755)
        } catch {
            guard error == .exists else { throw ControlError(.failed, "cannot make \(directory): \(error)") }
        }
        try checkOwner(of: directory, kernel)
    }

    private static func lock(_ place: ShelfPlace) throws(ControlError) -> OwnedFD {
        let kernel = LiveKernel()
        do throws(Errno) {
            let directory = try kernel.open(place.directory, [.readOnly, .directory, .noFollow], mode: 0)
            if try kernel.lock(directory) { return directory }
        } catch {
            throw ControlError(.failed, "cannot lock \(place.directory): \(error)")
        }
        throw ControlError(
            .failed, "another `nexusctl update \(place.name)` is under way", hint: "see: nexusctl update --list")
    }

    private static func checkOwner(of directory: String, _ kernel: LiveKernel) throws(ControlError) {
        let status = try? kernel.status(directory, followingLinks: false)
        guard let status, status.kind == .directory, status.user == geteuid(), status.mode & 0o022 == 0 else {
            throw ControlError(
                .failed, "\(directory) can be changed by others, and so could a program in it",
                hint: "chown \(geteuid()) \(directory) && chmod 755 \(directory)")
        }
    }

    /// Notes what is known of a copy; written down with the next step.
    mutating func note(_ version: AcceptedBook.Version) { book.add(version) }

    /// Does it in this order, each on the disk before the next.
    mutating func perform(_ steps: [AcceptedBook.Step]) throws(ControlError) {
        for step in steps {
            do throws(Errno) {
                switch step {
                case .write(let book):
                    try write(book)
                    self.book = book
                case .lead(let source): try lead(source)
                }
            } catch {
                throw ControlError(
                    .failed, "cannot write in \(place.directory): \(error)",
                    hint: error == .noSpace ? "make room on that disk" : nil)
            }
        }
    }

    private func write(_ book: AcceptedBook) throws(Errno) {
        let new = place.bookFile + ".new"
        try? kernel.removeFile(new)
        let file = try kernel.open(new, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
        try kernel.changeMode(file, to: 0o644)
        try kernel.writeAll(file, Array(book.line.utf8))
        try kernel.synchronize(file)
        try kernel.rename(new, to: place.bookFile)
        fsync(lock.raw)
    }

    private func lead(_ source: AcceptedBook.Source) throws(Errno) {
        switch source {
        case .search:
            do throws(Errno) { try kernel.removeFile(place.link) } catch  where error == .noEntry {}
        case .copy(let hash):
            let new = place.link + ".new"
            try? kernel.removeFile(new)
            guard symlink(hash, new) == 0 else { throw .current }
            try kernel.rename(new, to: place.link)
        }
        fsync(lock.raw)
    }

    /// Copies a program to where it can be tried; its hash.
    func take(_ source: String) throws(ControlError) -> String {
        do throws(Errno) {
            try kernel.makeDirectory(place.incoming, mode: 0o755)
            try kernel.changeMode(place.incoming, to: 0o755)
        } catch {
            throw ControlError(.failed, "cannot make \(place.incoming): \(error)")
        }
        return try ProgramFile.copy(source, to: place.incomingProgram, kernel)
    }

    /// Gives what was taken the place of its hash; a damaged copy there is replaced.
    func keep(_ hash: String) throws(ControlError) {
        do throws(Errno) {
            do throws(Errno) {
                try kernel.makeDirectory(place.directory(of: hash), mode: 0o755)
                try kernel.changeMode(place.directory(of: hash), to: 0o755)
            } catch  where error == .exists {}
            try kernel.rename(place.incomingProgram, to: place.program(of: hash))
            let directory = try kernel.open(place.directory(of: hash), [.readOnly, .directory], mode: 0)
            fsync(directory.raw)
            fsync(lock.raw)
        } catch {
            throw ControlError(.failed, "cannot keep the copy in \(place.directory(of: hash)): \(error)")
        }
    }

    /// Takes away every copy that is not kept, and what a command that was killed has left.
    func sweep() {
        let names = (try? kernel.list(place.directory)) ?? []
        for name in names where name == "incoming" || AcceptedBook.isHash(name) && !book.kept.contains(name) {
            let directory = place.directory + "/" + name
            for file in (try? kernel.list(directory)) ?? [] { try? kernel.removeFile(directory + "/" + file) }
            try? kernel.removeDirectory(directory)
        }
    }
}
