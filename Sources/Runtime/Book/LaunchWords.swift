import Plan
import SupervisorCore
import Wire

/// What is a child's own: its command line, its variables, its PID file. Needed at a start only, so it is kept as bytes.
struct LaunchWords {
    var executable: String
    var arguments: [Text]
    var environment: [Variable]
    var pidFile: String?

    init(_ child: ChildPlan) {
        executable = child.executable
        arguments = child.arguments
        environment = child.environment
        pidFile = child.pidFile
    }

    /// Packs it; variables that stand in `common` go as their index there.
    func pack(into writer: inout ByteWriter, common: [Variable: UInt16]) {
        writer.write(executable)
        writer.write(pidFile) { $0.write($1) }
        writer.write(arguments, Self.write)
        writer.write(environment) { writer, variable in
            writer.write(common[variable]) { $0.write($1) }
            guard common[variable] == nil else { return }
            writer.write(variable.name)
            Self.write(&writer, variable.value)
        }
    }

    init(from reader: inout ByteReader, common: [Variable]) throws(ByteError) {
        executable = try reader.readString()
        pidFile = try reader.readOptional { reader throws(ByteError) in try reader.readString() }
        arguments = try reader.readList { reader throws(ByteError) in try Self.readText(&reader) }
        environment = try reader.readList { reader throws(ByteError) in
            let index = try reader.readOptional { reader throws(ByteError) in try reader.read(UInt16.self) }
            if let index { return common[Int(index)] }
            return Variable(name: try reader.readString(), value: try Self.readText(&reader))
        }
    }

    private static func write(_ writer: inout ByteWriter, _ text: Text) {
        writer.write(text.pieces) { writer, piece in
            switch piece {
            case .literal(let literal):
                writer.write(UInt8(0))
                writer.write(literal)
            case .captured(let child, let name):
                writer.write(UInt8(1))
                writer.write(child.rawValue)
                writer.write(name)
            case .secret(let index):
                writer.write(UInt8(2))
                writer.write(index)
            }
        }
    }

    private static func readText(_ reader: inout ByteReader) throws(ByteError) -> Text {
        Text(
            pieces: try reader.readList { reader throws(ByteError) in
                switch try reader.read(UInt8.self) {
                case 0: return .literal(try reader.readString())
                case 1: return .captured(ChildID(rawValue: try reader.read()), name: try reader.readString())
                case 2: return .secret(try reader.read())
                case _: throw ByteError(.unknownValue, at: reader.offset - 1)
                }
            })
    }
}
