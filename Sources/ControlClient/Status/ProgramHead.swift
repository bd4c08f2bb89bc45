/// The first bytes of a program file, as execve(2) looks at them.
public enum ProgramHead {
    /// So many does the kernel read (BINPRM_BUF_SIZE).
    public static let length = 256

    /// The interpreter that a script names in its first line; nil: it is no script.
    public static func interpreter(_ bytes: some Sequence<UInt8>) -> String? {
        let line = bytes.prefix(length).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        guard line.starts(with: "#!".utf8) else { return nil }
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let name = line.dropFirst(2).drop(while: isBlank).prefix { !isBlank($0) }
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }
}
