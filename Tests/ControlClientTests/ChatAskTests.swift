import ControlClient
import Testing
import Wire

/// What the agent asks, at a terminal.
struct ChatAskTests {
    private func ask(_ json: String) throws -> ChatAsk { try #require(ChatAsk(try JSONParser.parse(Array(json.utf8)))) }

    private let permission = #"""
        {"type":"permission","id":"per_1","action":"bash","resources":["rm -rf build"],"always":["rm *"],
         "details":"rm -rf build"}
        """#
    private let question = #"""
        {"type":"question","id":"que_1","questions":[
          {"header":"Database","question":"Which?","options":[{"label":"SQLite","description":"one file"},
           {"label":"Postgres","description":""}],"multiple":false,"custom":false},
          {"header":"","question":"Colours?","options":[{"label":"red","description":""},
           {"label":"blue","description":""}],"multiple":true,"custom":true}]}
        """#

    @Test func permission_saysWhatAndHow() throws {
        let lines = try ask(permission).lines
        #expect(
            lines == [
                "the agent wants leave: bash rm -rf build", "y once · a always (rm *) · n reject, also: n and why",
            ])
    }

    @Test func limit_saysWhatComesOfItWhenNobodyAnswers() throws {
        let at = WallTime(nanosecondsSince1970: 1_790_000_000_000_000_000).local
        for (answer, words) in [("reject", "it is rejected"), ("once", "it is allowed once")] {
            let json = permission.dropLast() + #","unanswered":{"answer":"\#(answer)","at":1790000000000}}"#
            #expect(try ask(String(json)).lines[1] == "if nobody answers by \(at), \(words)")
            #expect(try ask(String(json)).whole == ask(permission).whole)
        }
        let json = question.dropLast() + #","unanswered":{"answer":"dismissed","at":1790000000000}}"#
        #expect(try ask(String(json)).lines.contains("if nobody answers by \(at), it is put aside"))
    }

    @Test(arguments: [
        ("y", #"{"reply":"once"}"#), ("A", #"{"reply":"always"}"#), ("n", #"{"reply":"reject"}"#),
        ("n  too dangerous ", #"{"reply":"reject","message":"too dangerous"}"#),
    ])
    func permission_isAnsweredByALetter(line: String, request: String) throws {
        var ask = try ask(permission)
        guard case .answer(let members) = ask.take(line) else { return #expect(Bool(false)) }
        #expect(JSONValue.object(members).line == request)
    }

    @Test(arguments: ["", "  ", "yeah", "y please", "1"])
    func permission_takesNothingElse(line: String) throws {
        var ask = try ask(permission)
        guard case .again = ask.take(line) else { return #expect(Bool(false)) }
    }

    @Test func questions_areAnsweredOneAfterTheOther() throws {
        var ask = try ask(question)
        #expect(ask.lines.first == "the agent asks (1 of 2): Database: Which?")
        #expect(ask.lines.contains("  1  SQLite — one file"))
        for bad in ["3", "0", "1 2", "Oracle"] {
            guard case .again = ask.take(bad) else { return #expect(Bool(false), "\(bad)") }
        }
        #expect(ask.take("2") == .more)
        #expect(ask.lines.first == "the agent asks (2 of 2): Colours?")
        guard case .answer(let members) = ask.take("1, 2") else { return #expect(Bool(false)) }
        #expect(JSONValue.object(members).line == #"{"answers":[["Postgres"],["red","blue"]]}"#)
    }

    /// Own words beside numbers are never taken for one of the two.
    @Test(arguments: [
        ("1 2: and mauve", ["red", "blue", "and mauve"]), ("2,1: mauve", ["blue", "red", "mauve"]),
        (": 2 weeks", ["2 weeks"]), (":2", ["2"]), ("2: 1", ["blue", "1"]), ("3 colours", ["3 colours"]),
        ("1:30 h", ["1:30 h"]), ("at 1: then", ["at 1: then"]), ("1 2", ["red", "blue"]), ("red", ["red"]),
        ("1 2 and mauve", nil), ("2 weeks", nil), ("1, and mauve", nil), (":", nil), ("3: mauve", nil), ("1:", ["red"]),
    ])
    func ownWordsBesideNumbers_areTakenBehindAColon_orRefused(line: String, chosen: [String]?) throws {
        var ask = try ask(question)
        _ = ask.take("1")
        #expect(ask.lines.last?.contains("both with a colon between them") == true)
        switch ask.take(line) {
        case .answer(let members):
            let wanted = JSONValue.array([.array([.string("SQLite")]), .array((chosen ?? []).map(JSONValue.string))])
            #expect(chosen != nil && members == [.init("answers", wanted)], "\(line)")
        case .again(let why): #expect(chosen == nil && !why.isEmpty, "\(line): \(why)")
        case .more: #expect(Bool(false), "\(line)")
        }
    }

    /// Where one thing may be chosen it is a number or own words.
    @Test func oneChoice_takesNoWordsBesideIt() throws {
        let one = question.replacing("\"multiple\":true", with: "\"multiple\":false")
        for (line, why) in [
            ("1: mauve", "only one can be chosen"), ("2 weeks", "numbers and words: `: 2 words`"), ("1 2", "only one"),
        ] {
            var ask = try ask(one)
            _ = ask.take("1")
            guard case .again(let words) = ask.take(line) else { return #expect(Bool(false), "\(line)") }
            #expect(words.contains(why), "\(line): \(words)")
        }
        var ask = try ask(question)
        guard case .again(let words) = ask.take("1: mauve") else { return #expect(Bool(false)) }
        #expect(words.contains("own words are not taken here"), "\(words)")
    }

    @Test func allOfIt_isThereForWhoOnlyReads() throws {
        let ask = try ask(question)
        #expect(
            ask.whole == [
                "the agent asks (1 of 2): Database: Which?", "  1  SQLite — one file", "  2  Postgres",
                "the agent asks (2 of 2): Colours?", "  1  red", "  2  blue",
            ])
        #expect(ask.brief == "Which?; Colours?")
        let leave = try self.ask(permission)
        #expect(leave.whole == ["the agent wants leave: bash rm -rf build"] && leave.brief == "bash rm -rf build")
    }

    @Test(arguments: [("//\u{7F}é", 5), ("\"\\", 4), ("\n\t\r\u{8}\u{C}", 10), ("\u{1}\u{1F}", 12), ("", 0)])
    func size_isWhatJSONWrites(text: String, bytes: Int) { #expect(MessageText.size(of: text) == bytes) }

    @Test func questions_takeOwnWordsAndCanBePutAside() throws {
        var ask = try ask(question)
        _ = ask.take("SQLite")
        guard case .answer(let members) = ask.take("a kind of mauve") else { return #expect(Bool(false)) }
        #expect(JSONValue.object(members).line == #"{"answers":[["SQLite"],["a kind of mauve"]]}"#)
        ask = try self.ask(question)
        guard case .answer(let aside) = ask.take("-") else { return #expect(Bool(false)) }
        #expect(JSONValue.object(aside).line == #"{"reply":"dismiss"}"#)
    }
}
