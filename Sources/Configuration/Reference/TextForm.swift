import Plan

/// The form of a text as a regular expression that editors know (ECMA 262): never narrower than what nexus-config takes, and
/// wider where only a parser can tell.
struct TextForm: Sendable {
    let pattern: String

    private init(_ pattern: String) { self.pattern = pattern }

    /// All of the text is this.
    private static func whole(_ pattern: String) -> TextForm { TextForm("^(\(pattern))$") }

    // MARK: - Names

    private static let nameWord = "[a-z0-9][a-z0-9-]{0,31}"

    private static func name(but reserved: [String]) -> TextForm {
        TextForm("^(?!(\(reserved.map(escaped).joined(separator: "|")))$)\(nameWord)$")
    }

    static let name = whole(nameWord)
    static let child = name(but: Reserved.names + Reserved.logNames)
    static let group = name(but: Reserved.names)
    static let stateDirectory = name(but: Reserved.directories)
    static let variable = TextForm(
        "^(?!(\(Reserved.variables.sorted().joined(separator: "|")))$)[A-Za-z_][A-Za-z0-9_]*$")
    /// A user or a group: /etc/passwd and /etc/group have these between colons.
    static let person = TextForm("^[^:\\n]+$")
    static let grant = whole(
        "status|(start|stop|restart):(all|((child|group):)?\(nameWord))|health:\(nameWord)")
    static let credential = TextForm("^[^./][^/]*$")
    static let pidFile = TextForm(#"^(?!(nexusd|log-writer)\.pid$)[^./][^/]{0,63}$"#)

    // MARK: - Values

    private static let durationWords: String = {
        let one = "[0-9]+(ns|us|ms|s|min|h|d)"
        return "\(one)( *\(one))*"
    }()
    private static let notZero = "(?=.*[1-9])"
    private static let sizeWords = "[0-9]+ *([kKMGT]?B|[KMGT]iB)?"

    static let duration = whole(durationWords)
    static let durationAboveZero = TextForm("^\(notZero)\(durationWords)$")
    /// A duration that a unit counts without a rest: so many zeros at least end the number of a smaller one. Of sums only a
    /// parser can tell.
    private static func counted(zeros: KeyValuePairs<String, Int>) -> String {
        let one = zeros.map { unit, count in
            count == 0 ? "[0-9]+\(unit)" : "([0-9]*0{\(count)}|0+)\(unit)"
        }
        let some = "[0-9]+(ns|us|ms|s|min|h|d)"
        return "[0-9]+(min|h|d)|\(one.joined(separator: "|"))|\(some)( *\(some))+"
    }

    static let size = whole(sizeWords)
    static let sizeAboveZero = TextForm("^\(notZero)\(sizeWords)$")
    static let rate = whole("none|\\+?0*[1-9][0-9]{0,9}/\(notZero)\(durationWords)")
    /// Permission bits.
    static let octal = TextForm("^0*[0-7]{1,3}$")
    static let statuses = TextForm(#"^\+?0*[1-5][0-9]{2}-\+?0*[1-5][0-9]{2}$"#)
    static let stopSignal = signal(SignalName.names)
    static let anySignal = signal(SignalName.allNames)

    private static func signal(_ names: [String]) -> TextForm {
        let words = names.map { $0.dropFirst(3) }.joined(separator: "|")
        return TextForm("^(SIG)?(\(words)|RTMIN\\+[+-]?[0-9]+)$")
    }

    static let capability = TextForm(
        "^(\(caseless("CAP_")))?(\(CapabilityName.names.map(caseless).joined(separator: "|")))$")

    /// One value of setrlimit(2), or two.
    static func limit(_ resource: ResourceName) -> TextForm {
        let one =
            switch resource.unit {
            case .bytes: sizeWords
            case .count: "(\\+?[0-9]+|-0+)"
            case .seconds: "(\(counted(zeros: ["s": 0, "ms": 3, "us": 6, "ns": 9])))"
            case .microseconds: "(\(counted(zeros: ["s": 0, "ms": 0, "us": 0, "ns": 3])))"
            }
        // Of sizes only a parser can tell which is the larger.
        let tooFew = resource == .nofile ? "(?!(\\+?0*[0-3]|-0+)(:|$))" : ""
        return TextForm("^\(tooFew)(unlimited|\(one))(:(unlimited|\(one)))?$")
    }

    static let calendar: TextForm = {
        func list(_ number: String) -> String {
            let item = "(\(number)(\\.\\.\(number))?|\\*)(/0*[1-9][0-9]*)?"
            return "\(item)(,\(item))*"
        }
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].map { day in
            caseless(String(day.prefix(3))) + "(\(caseless(String(day.dropFirst(3)))))?"
        }.joined(separator: "|")
        let weekdays = "(\(days))(\\.\\.(\(days)))?"
        let date =
            "(\(list("[0-9]{4}"))-)?\(list("0*([1-9]|1[0-2])"))-\(list("0*([1-9]|[12][0-9]|3[01])"))"
        let sixty = list("0*[1-5]?[0-9]")
        let time = "\(list("0*(1?[0-9]|2[0-3])")):\(sixty)(:\(sixty))?"
        let shorthands = CalendarTime.shorthands.keys.sorted().joined(separator: "|")
        return TextForm(
            "^(\(shorthands)| *(?=[^ ])(\(weekdays)(,\(weekdays))*( +|$))?(\(date)( +|$))?(\(time) *)?)$")
    }()

    // MARK: - Texts that may name what is known later

    private static let reference =
        "\\{((\(TextBuilder.placeNames.joined(separator: "|")))|\(nameWord)\\.\(nameWord))\\}"
    private static let literal = #"([^{}]|\{\{|\}\})"#

    static let template = whole("(\(literal)|\(reference))*")
    static let logLine: TextForm = {
        let line = #"([^{}\n]|\{\{|\}\})+"#
        let capture = "\\{\(nameWord)(:int)?\\}"
        return TextForm("^\(line)(\(capture)\(line))*(\(capture))?$")
    }()

    // MARK: - Places

    private static let pathStart = #"/|~(/|$)|\.(/|$)"#

    static let path = TextForm("^(\(pathStart))")
    /// One that may begin with a reference.
    static let templatePath = TextForm("^(\(pathStart)|[~.]?\\{)")
    /// One that may be missing.
    static let variableFile = TextForm("^-?(\(pathStart)|[~.]?\\{)")
    static let absolutePath = TextForm(#"^/[^\x00-\x1F\x7F]*$"#)
    /// With a slash it says where it begins.
    static let program = TextForm(#"^([^/]+$|[~.]?[/{])"#)

    private static let loopback = #"(127(\.[^.:/?#]+){3}|localhost|\[::1\])"#

    static let loopbackAddress = TextForm("^\(loopback):[^:]+$")
    static let loopbackURL = TextForm("^http://\(loopback)(:[^/?#]+)?([/?][!-~]*)?$")
    static let listen = TextForm(#"^(/|.*\{|(localhost|\[[0-9A-Fa-f:.]+\]|[-+0-9.]+):[0-9]+$)"#)
    static let chatListen = whole(#"off|(localhost|\[[0-9A-Fa-f:]+\]|[0-9]+(\.[0-9]+){3}):[0-9]+"#)
    static let certificate = TextForm("^(\(ChatAddress.selfMade)$|/)")
    static let pem = TextForm("^/")
    static let pageURL = TextForm(#"^https://[A-Za-z0-9.-]+(:\+?[0-9]+)?$"#)
    static let webhook = TextForm(#"^https?://[^/?#@\s]+([/?][^#\s]*)?$"#)
    static let contact = TextForm("^(mailto:|https://)[!-~]+$")
    static let uuid = TextForm("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")

    private static func escaped(_ word: String) -> String { word.replacing(".", with: "\\.") }

    /// In letters of both cases.
    private static func caseless(_ word: String) -> String {
        word.map { $0.isLetter ? "[\($0.uppercased())\($0.lowercased())]" : String($0) }.joined()
    }
}
