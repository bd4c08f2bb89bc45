import Glibc

/// A refused file: its diagnostics, one a line.
struct Refusal: Error {
    let words: String
}

/// An output that did not take all that was written: nobody may take it for a whole one.
struct Unwritten: Error {
    /// That of write(2).
    let errno: Int32
    let file: Int32

    var words: String {
        let place = file == STDOUT_FILENO ? " to standard output" : ""
        return "nexus-config: cannot write\(place): \(String(cString: strerror(errno)))"
    }
}

/// Whole texts to a descriptor, past the buffers of stdio.
enum Output {
    /// To standard output.
    static func show(_ text: String) throws { try write(Array(text.utf8), to: STDOUT_FILENO) }

    static func write(_ bytes: [UInt8], to file: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Unwritten(errno: errno, file: file) }
            rest = rest.dropFirst(count)
        }
    }
}
