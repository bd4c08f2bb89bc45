import Synchronization

/// Lines of one look at one pipe, ready to be written: one thread puts them into the file, another into the journal, and
/// the bytes leave the pipe when the file has them.
final class Batch: Sendable {
    /// The stream they came from and which of its batches this is: an answer for an older one is recognised.
    let ticket: Ticket
    /// Where they go.
    let target: LogTarget
    /// Bytes before the text of every entry.
    let prefixBytes: Int
    /// Entries, for counting what is dropped.
    let lines: Int
    /// Whole entries in the format of the files.
    var entries: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: block.memory[..<count]) }
    /// What it adds to a queue's weight: its bytes, and what it takes beside them.
    var weight: Int { count + 512 }

    /// The pipe they stand in, and how many of its bytes they are.
    let source: PipeEnd
    let consumed: Int

    private let block: Block
    private let count: Int
    private let isClaimed = Atomic<Bool>(false)

    init(
        ticket: Ticket, target: LogTarget, source: PipeEnd, consumed: Int, block: Block, count: Int, prefixBytes: Int,
        lines: Int
    ) {
        self.source = source
        self.consumed = consumed
        self.ticket = ticket
        self.target = target
        self.block = block
        self.count = count
        self.prefixBytes = prefixBytes
        self.lines = lines
    }

    /// True once, for whoever takes its bytes out of the pipe: the thread that has written them or, when that hangs, the
    /// one that reads.
    func claim() -> Bool { !isClaimed.exchange(true, ordering: .acquiringAndReleasing) }

    /// Names one batch of one stream.
    struct Ticket: Hashable, Sendable {
        /// The reading thread's number of the stream, never used again in a life of log-writer.
        var stream: UInt64
        /// Counts the stream's batches.
        var serial: UInt64
    }
}
