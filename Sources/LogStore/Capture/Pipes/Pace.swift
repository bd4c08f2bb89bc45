import SupervisorCore

/// How long a pipe is left alone before it is looked at again. A writer of single lines would otherwise wake us for each
/// (4 to 6 CPU seconds per GB instead of 0.5); a writer that fills the pipe must not wait for us.
struct Pace {
    /// The pause after a short read.
    static let longest: Duration = .milliseconds(1)
    /// The pause of a flood that fills its large pipe slowly, as one of single lines does. Each look costs the wake-ups of two
    /// threads, more than what they do with a hundred lines.
    static let longestOfFlood: Duration = .milliseconds(4)
    /// The pause of a flood: 256 KiB in this time would be 4 GB/s. Less would find single lines again.
    static let shortest: Duration = .microseconds(60)
    /// The pipe of a child that floods. It goes on writing into the rest while we write what we saw, and our turns are a
    /// quarter as many.
    static let floodPipeBytes = 256 * 1024
    /// Looks that found the pipe nearly full, less those that found it nearly empty, after which it is a flood.
    static let floodAfter = 4

    /// How long the pipe is left alone after it was looked at.
    private(set) var pause = Pace.longest
    private var fullLooks = 0
    private var mayGrow = true

    /// True when the writer is faster than our turns: a larger pipe is tried before a shorter pause.
    var wantsLargerPipe: Bool { mayGrow && fullLooks >= Pace.floodAfter }

    /// The pipe was made larger, or cannot be.
    mutating func hasGrown() { mayGrow = false }

    /// A look found this many bytes in a pipe of that size. The pause settles where the pipe is found between half and three
    /// quarters full: each look is worth its cost, and the writer never stands still. Half of it and half more is below
    /// three quarters, so that it does settle.
    mutating func found(_ bytes: Int, of capacity: Int) {
        if bytes >= capacity / 4 * 3 {
            fullLooks += 1
            // A pipe that could still grow is given the chance first.
            if !mayGrow { pause = max(Pace.shortest, pause / 2) }
        } else if bytes < capacity / 2 {
            fullLooks = max(0, fullLooks - 1)
            pause = min(mayGrow ? Pace.longest : Pace.longestOfFlood, pause * 3 / 2)
        }
    }
}
