import ControlClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct AcceptedBookTests {
    /// What a disk has, and what a step does to it.
    private struct Disk {
        var book = AcceptedBook()
        var link = AcceptedBook.Source.search

        mutating func perform(_ step: AcceptedBook.Step) {
            switch step {
            case .write(let book): self.book = AcceptedBook(Array(book.line.utf8)) ?? AcceptedBook()
            case .lead(let source): link = source
            }
        }

        /// As the next command finds it, and ends what was begun.
        mutating func recover() {
            guard book.trial != nil else { return }
            for step in book.steps(endingTrial: .init(text: "?", why: "cut off", time: 1)) { perform(step) }
        }
    }

    private func hash(_ digit: String) -> String { String(repeating: digit, count: 64) }

    private func disk(current: AcceptedBook.Source, before: AcceptedBook.Source?) -> Disk {
        var disk = Disk()
        (disk.book.current, disk.book.before, disk.link) = (current, before, current)
        for digit in ["a", "b", "c"] {
            disk.book.add(.init(hash: hash(digit), text: "1.\(digit)", origin: "/tmp/\(digit)", copied: 1))
        }
        return disk
    }

    /// The power may go between any two steps, also of the recovery: one whole version holds, and the link leads to it.
    @Test func powerLossAtEachStep_leavesOneWholeVersion() {
        let sources: [AcceptedBook.Source] = [.search, .copy(hash("a")), .copy(hash("b"))]
        for current in sources {
            for tried in sources + [.copy(hash("c"))] where tried != current {
                for isKept in [true, false] {
                    let start = disk(current: current, before: sources.first { $0 != current })
                    var steps = start.book.steps(trying: tried, run: "1-1")
                    var trying = start
                    steps.forEach { trying.perform($0) }
                    steps +=
                        isKept
                        ? trying.book.steps(accepting: tried)
                        : trying.book.steps(endingTrial: .init(text: "1", why: "it failed", time: 2))
                    for done in 0...steps.count {
                        var disk = start
                        steps.prefix(done).forEach { disk.perform($0) }
                        let isDone = isKept && done == steps.count
                        if disk.book.trial != nil {
                            // What is on trial is kept until it is decided, and so is what it leads back to.
                            #expect(disk.book.kept.isSuperset(of: start.book.kept))
                        }
                        disk.recover()
                        #expect(disk.book.current == (isDone ? tried : current), "after \(done) steps")
                        #expect(disk.link == disk.book.current && disk.book.trial == nil, "after \(done) steps")
                        #expect(disk.book.before == (isDone ? current : start.book.before))
                    }
                }
            }
        }
    }

    @Test func acceptedVersion_leavesTheOneBeforeAndNoOther() {
        var disk = disk(current: .copy(hash("a")), before: .copy(hash("b")))
        for step in disk.book.steps(trying: .copy(hash("c")), run: nil) { disk.perform(step) }
        #expect(disk.book.kept == Set(["a", "b", "c"].map(hash)))
        for step in disk.book.steps(accepting: .copy(hash("c"))) { disk.perform(step) }
        #expect(disk.book.kept == Set(["a", "c"].map(hash)) && disk.book.versions.map(\.text) == ["1.a", "1.c"])
        #expect(disk.book.refusal == nil)
    }

    @Test func bookOfTheDisk_isTheSame() throws {
        var book = disk(current: .copy(hash("a")), before: .search).book
        (book.trial, book.trialRun) = (.copy(hash("b")), "6743f2a1-17")
        book.refusal = .init(text: "1.9.0", why: "it \"ended\":\n1", time: 5)
        #expect(AcceptedBook(Array(book.line.utf8)) == book)
        #expect(AcceptedBook(Array(AcceptedBook().line.utf8)) == AcceptedBook())
    }

    /// A hash becomes the name of a directory.
    @Test func damagedBook_isRefused() {
        let good = disk(current: .copy(hash("a")), before: nil).book.line
        for end in 0..<good.utf8.count - 2 { #expect(AcceptedBook(Array(good.utf8.prefix(end))) == nil) }
        for (part, other) in [
            (hash("a"), "../../etc"), ("\"format\":1", "\"format\":2"), ("\"current\"", "\"kurrent\""),
            (hash("a"), hash("A")),
        ] {
            #expect(AcceptedBook(Array(good.replacing(part, with: other).utf8)) == nil, "\(other)")
        }
    }
}
