import Glibc

/// A refused file: its diagnostics, one a line.
struct Refusal: Error {
    let words: String
}

/// Whole texts to a descriptor, past the buffers of stdio.
enum Output {
    static func write(_ bytes: [UInt8], to file: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw Refusal(words: "nexus-config: cannot write: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(count)
        }
    }
}
