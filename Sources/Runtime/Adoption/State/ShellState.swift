import Plan
import SupervisorCore
import Wire

/// What the shell must know beside the core's state, of the tree as a whole.
struct ShellHead: Hashable {
    /// Which life of nexusd wrote it.
    var life: String
    /// Which plan it goes by.
    var plan: UInt32
    /// What of that plan the file has.
    var arrangement: Arrangement
    var runsLastGood: Bool
    /// Values that were generated, by the secret's index.
    var generated: [UInt16: String]

    /// Raised by any change of a field, here or in `ShellCell`.
    static let encodingVersion: UInt16 = 2

    func write(to writer: inout ByteWriter) {
        writer.write(life)
        writer.write(plan)
        writer.write(arrangement.children) { $0.write($1.rawValue) }
        writer.write(arrangement.groups) { $0.write($1.rawValue) }
        writer.write(runsLastGood)
        writer.write(generated.keys.sorted()) { writer, index in
            writer.write(index)
            writer.write(generated[index] ?? "")
        }
    }

    init(life: String, plan: UInt32, arrangement: Arrangement, runsLastGood: Bool, generated: [UInt16: String]) {
        self.life = life
        self.plan = plan
        self.arrangement = arrangement
        self.runsLastGood = runsLastGood
        self.generated = generated
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        life = try reader.readString()
        plan = try reader.read()
        arrangement = Arrangement(
            children: try reader.readList { reader throws(ByteError) in ChildID(rawValue: try reader.read()) },
            groups: try reader.readList { reader throws(ByteError) in GroupID(rawValue: try reader.read()) })
        runsLastGood = try reader.readBool()
        generated = [:]
        for entry in try reader.readList({ reader throws(ByteError) in
            (try reader.read(UInt16.self), try reader.readString())
        }) {
            generated[entry.0] = entry.1
        }
    }
}

/// What the shell must know of one child.
struct ShellCell: Hashable {
    /// The main process of its run; 0 without one.
    var process: Int32 = 0
    var status: String?
    var captures: [LogReport.Capture] = []
    /// Values that its run was given, by the secret's name.
    var secrets: [Value] = []
    /// What is blotted out of the output of its runs.
    var redactions: [Redaction] = []
    var hasCredentials = false
    /// Inodes of its listening sockets in the order of the plan, 0 for one that is not open; then of those that its run was given
    /// and a reload has taken from the child.
    var sockets: [UInt64] = []
    var isStoppedByWorker = false
    /// What an owner chose by command.
    var choice: Choice?
    /// What is known of its last end beyond the core's record.
    var remark: Remark?

    struct Value: Hashable {
        var name: String
        var value: String
    }

    struct Redaction: Hashable {
        var run: RunID
        var values: [String]
    }

    struct Remark: Hashable {
        var run: RunID
        var words: String
        var settings: [Explanation.Setting]

        init(_ remark: EndRemark) {
            run = remark.run
            words = remark.words
            settings = remark.settings
        }

        init(from reader: inout ByteReader) throws(ByteError) {
            run = RunID(rawValue: try reader.read())
            words = try reader.readString()
            settings = try reader.readList { reader throws(ByteError) in
                Explanation.Setting(key: try reader.readString(), value: try reader.readString())
            }
        }

        func write(to writer: inout ByteWriter) {
            writer.write(run.rawValue)
            writer.write(words)
            writer.write(settings) { writer, setting in
                writer.write(setting.key)
                writer.write(setting.value)
            }
        }
    }

    init() {}

    func write(to writer: inout ByteWriter) {
        writer.write(process)
        writer.write(status) { $0.write($1) }
        writer.write(captures) { writer, capture in
            writer.write(capture.name)
            writer.write(capture.value)
        }
        writer.write(secrets) { writer, secret in
            writer.write(secret.name)
            writer.write(secret.value)
        }
        writer.write(redactions) { writer, redaction in
            writer.write(redaction.run.rawValue)
            writer.write(redaction.values) { $0.write($1) }
        }
        writer.write(hasCredentials)
        writer.write(sockets) { $0.write($1) }
        writer.write(isStoppedByWorker)
        writer.write(choice) { $0.write($1.rawValue) }
        writer.write(remark) { writer, remark in remark.write(to: &writer) }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        process = try reader.read()
        status = try reader.readOptional { reader throws(ByteError) in try reader.readString() }
        captures = try reader.readList { reader throws(ByteError) in
            LogReport.Capture(name: try reader.readString(), value: try reader.readString())
        }
        secrets = try reader.readList { reader throws(ByteError) in
            Value(name: try reader.readString(), value: try reader.readString())
        }
        redactions = try reader.readList { reader throws(ByteError) in
            Redaction(
                run: RunID(rawValue: try reader.read()),
                values: try reader.readList { reader throws(ByteError) in try reader.readString() })
        }
        hasCredentials = try reader.readBool()
        sockets = try reader.readList { reader throws(ByteError) in try reader.read() }
        isStoppedByWorker = try reader.readBool()
        choice = try reader.readOptional { reader throws(ByteError) in
            guard let choice = Choice(rawValue: try reader.read()) else {
                throw ByteError(.unknownValue, at: reader.offset - 1)
            }
            return choice
        }
        remark = try reader.readOptional { reader throws(ByteError) in try Remark(from: &reader) }
    }
}
