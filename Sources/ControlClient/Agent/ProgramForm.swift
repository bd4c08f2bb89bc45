/// What a program file is, by its first bytes.
public enum ProgramForm: Hashable, Sendable {
    /// A script that names who carries it out.
    case script(interpreter: String)
    /// An ELF file.
    case program(Machine)
    /// Neither: nothing that execve(2) takes.
    case other

    /// The machine that an ELF file was built for.
    public struct Machine: Hashable, Sendable {
        /// EI_CLASS: 1 of 32 bits, 2 of 64.
        public var width: UInt8
        /// EI_DATA: 1 for little endian, 2 for big.
        public var order: UInt8
        /// e_machine.
        public var number: UInt16

        /// All of it.
        public init(width: UInt8, order: UInt8, number: UInt16) {
            self.width = width
            self.order = order
            self.number = number
        }

        /// As people call it.
        public var name: String {
            let known: [UInt16: String] = [3: "i386", 40: "arm", 62: "x86-64", 183: "aarch64", 243: "riscv"]
            return "\(known[number] ?? "machine \(number)"), \(width == 2 ? 64 : 32) bits"
        }
    }

    /// So many bytes say it (BINPRM_BUF_SIZE).
    public static let headLength = 256

    /// Reads the first bytes of a file.
    public init(_ head: [UInt8]) {
        if head.starts(with: "#!".utf8) {
            guard case .interpreter(let path)? = ProgramHead.carrier({ $0 == 0 ? Array(head.prefix($1)) : [] }),
                path.hasPrefix("/")
            else {
                self = .other
                return
            }
            self = .script(interpreter: path)
            return
        }
        guard head.starts(with: [0x7F, 0x45, 0x4C, 0x46]), head.count >= 20, (1...2).contains(head[4]),
            (1...2).contains(head[5])
        else {
            self = .other
            return
        }
        let (low, high) = head[5] == 1 ? (head[18], head[19]) : (head[19], head[18])
        self = .program(Machine(width: head[4], order: head[5], number: UInt16(high) << 8 | UInt16(low)))
    }
}

/// What a program says of itself when it is asked for its version.
public struct ProgramVersion: Hashable, Sendable {
    /// `1.18.34`, with what stands right behind it.
    public var text: String
    /// Its first number.
    public var major: Int

    /// The first word that begins with three numbers, as `opencode --version` and its like print it; nil: there is none.
    public init?(_ output: String) {
        for word in output.split(whereSeparator: \.isWhitespace) {
            let bare = word.first == "v" ? word.dropFirst() : word
            let numbers = bare.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
            guard numbers.count == 3, let major = Int(numbers[0]), major >= 0, Int(numbers[1]) != nil,
                numbers[2].first?.isNumber == true, bare.utf8.count <= 64
            else { continue }
            text = String(bare)
            self.major = major
            return
        }
        return nil
    }
}
