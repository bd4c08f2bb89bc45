/// What a program file names to carry it out, as execve(2) looks for it.
public enum ProgramHead {
    /// Where that is not there, execve(2) says ENOENT of the program, as of one that is not there itself.
    public enum Carrier: Hashable, Sendable {
        /// Of a script: in its first line.
        case interpreter(String)
        /// Of an ELF program: in its PT_INTERP.
        case loader(String)

        /// Its path.
        public var path: String {
            switch self {
            case .interpreter(let path), .loader(let path): path
            }
        }
    }

    /// So many bytes of a file does the kernel look at first (BINPRM_BUF_SIZE).
    private static let length = 256
    // The kernel's own bounds (PATH_MAX, and ELF_MIN_ALIGN's 64 KiB of program headers).
    private static let pathLimit: UInt64 = 4096
    private static let tableLimit = 65_536

    /// nil: it names nothing, or is no program.
    /// - Parameter read: bytes of the file from an offset, fewer at its end.
    public static func carrier(_ read: (_ offset: UInt64, _ count: Int) -> [UInt8]) -> Carrier? {
        let head = read(0, length)
        if head.starts(with: "#!".utf8) { return interpreter(head).map(Carrier.interpreter) }
        guard let form = ElfForm(head) else { return nil }
        return loader(head, form, read).map(Carrier.loader)
    }

    private static func interpreter(_ head: [UInt8]) -> String? {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let line = head.prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        return text(line.dropFirst(2).drop(while: isBlank).prefix { !isBlank($0) })
    }

    private static func loader(_ head: [UInt8], _ form: ElfForm, _ read: (UInt64, Int) -> [UInt8]) -> String? {
        guard let start = form.word(head, form.tableOffset),
            form.number(head, form.entrySize, 2) == UInt64(form.entryLength),
            let count = form.number(head, form.entrySize + 2, 2), Int(count) * form.entryLength <= tableLimit
        else { return nil }
        let table = read(start, Int(count) * form.entryLength)
        for entry in stride(from: 0, to: table.count, by: form.entryLength)
        where form.number(table, entry, 4) == ElfForm.interpreterType {
            guard let place = form.word(table, entry + form.partOffset),
                let size = form.word(table, entry + form.partSize), size <= pathLimit
            else { return nil }
            return text(read(place, Int(size)).prefix { $0 != 0 })
        }
        return nil
    }

    private static func text(_ bytes: some Collection<UInt8>) -> String? {
        bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}

/// Where the numbers stand in an ELF file of little endian, which all our machines are (elf(5)).
private struct ElfForm {
    /// PT_INTERP.
    static let interpreterType: UInt64 = 3

    let is64: Bool

    init?(_ head: [UInt8]) {
        guard head.starts(with: [0x7F, 0x45, 0x4C, 0x46]), head.count > 6, (1...2).contains(head[4]), head[5] == 1
        else {
            return nil
        }
        is64 = head[4] == 2
    }

    /// e_phoff.
    var tableOffset: Int { is64 ? 32 : 28 }
    /// e_phentsize, before e_phnum.
    var entrySize: Int { is64 ? 54 : 42 }
    var entryLength: Int { is64 ? 56 : 32 }
    /// p_offset.
    var partOffset: Int { is64 ? 8 : 4 }
    /// p_filesz.
    var partSize: Int { is64 ? 32 : 16 }

    /// An offset or a size.
    func word(_ bytes: [UInt8], _ offset: Int) -> UInt64? { number(bytes, offset, is64 ? 8 : 4) }

    func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64? {
        guard offset + count <= bytes.count else { return nil }
        return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
