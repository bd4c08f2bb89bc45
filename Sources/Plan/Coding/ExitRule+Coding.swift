import SupervisorCore
import Wire

extension ExitRule: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(success)
        writer.write(config)
        writer.write(network)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            success: Set(try reader.readPatterns()), config: Set(try reader.readPatterns()),
            network: Set(try reader.readPatterns()))
    }
}

/// On the wire a code is its number and a signal 256 and its number.
extension ExitPattern {
    fileprivate static let signals: UInt16 = 256

    fileprivate var number: UInt16 {
        switch self {
        case .code(let code): UInt16(code)
        case .signal(let signal): Self.signals + UInt16(clamping: signal.rawValue)
        }
    }
}

extension ByteWriter {
    /// In ascending order, so that equal plans have equal bytes.
    fileprivate mutating func write(_ patterns: Set<ExitPattern>) {
        write(patterns.map(\.number).sorted()) { $0.write($1) }
    }
}

extension ByteReader {
    fileprivate mutating func readPatterns() throws(ByteError) -> [ExitPattern] {
        try readList { reader throws(ByteError) in
            let number = try reader.read(UInt16.self)
            if let code = UInt8(exactly: number) { return .code(code) }
            let signal = Int32(number - ExitPattern.signals)
            guard (1...64).contains(signal) else { throw ByteError(.unknownValue, at: reader.offset - 2) }
            return .signal(Signal(rawValue: signal))
        }
    }
}
