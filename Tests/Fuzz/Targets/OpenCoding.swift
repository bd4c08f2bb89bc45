import Foundation

@testable import OpenCode

extension Target {
    /// opencode's event stream: the same frames wherever it is split; any frame is one of ours or none, and a turn made of
    /// them ends once at most.
    static let opencode = Target(
        name: "opencode",
        feed: { bytes in
            let (whole, first, second) = split(bytes)
            let frames = parse([whole])
            must(frames == parse([first, second]), "it matters where the stream is split")
            // Of 2.x when its first byte is even.
            let isFirstLine = bytes.first.map { $0 & 1 == 1 } ?? true
            play(frames.compactMap(isFirstLine ? V1Frame.read : V2Frame.read), isFirstLine ? .byID : .byArrival)
        },
        seeds: {
            let frame = #"{"id":"e","type":"session.idle","properties":{"sessionID":"ses_1"}}"#
            let part =
                #"{"type":"message.part.updated","properties":{"part":{"id":"p","sessionID":"s","messageID":"m","type":"text","text":"x"}}}"#
            let own = ["\u{5}data: \(frame)\n\n", "\u{21}: beat\r\n\r\ndata: \(part)\r\n\r\n"].map { Array($0.utf8) }
            return own + recordings()
        })

    private static func parse(_ pieces: [ArraySlice<UInt8>]) -> [[UInt8]] {
        var parser = SSEParser(limit: 4096)
        var frames: [[UInt8]] = []
        for piece in pieces {
            guard let more = try? parser.feed(piece) else { break }
            frames += more
        }
        return frames
    }

    /// A turn that follows the first message of a user among them; what is to be read again is told from the beginning.
    private static func play(_ frames: [LineFrame], _ order: MessageOrder) {
        let facts = frames.flatMap { frame -> [TurnFact] in
            if case .facts(let facts) = frame.content { facts } else { [] }
        }
        let prompt = facts.lazy.compactMap { fact -> String? in
            if case .message(let message) = fact, message.author == .user { message.id } else { nil }
        }.first
        var (turn, ends, now) = (TurnReducer(prompt: prompt ?? "", order: order), 0, Duration.zero)
        func take(_ steps: [TurnReducer.Step]) -> Bool {
            ends += steps.count { step in if case .emit(.turnEnded) = step { true } else { false } }
            return steps.contains(.reread)
        }
        for (index, fact) in facts.enumerated() {
            now += .seconds(3)
            guard take(turn.handle(fact, at: now)) else { continue }
            let told = TurnReread(facts: Array(facts[...index]), isBusy: index % 2 == 0, permissions: [], questions: [])
            _ = take(turn.handle(told, at: now))
        }
        _ = take(turn.missedEvents(at: now, connectionLost: true))
        for pause in [1, 60, 600, 36_000] { _ = take(turn.tick(at: now + .seconds(pause))) }
        _ = take(turn.gone("gone"))
        must(ends == 1, "a turn with \(ends) ends")
    }

    /// The streams that OpenCodeTests have recorded, in pieces that an input has room for.
    private static func recordings() -> [[UInt8]] {
        Corpus.files(below: "OpenCodeTests/Frames", suffix: ".sse").flatMap { stream in
            let frames = String(decoding: stream, as: UTF8.self).components(separatedBy: "\n\n")
            return frames.reduce(into: [String]()) { pieces, frame in
                if let last = pieces.last, last.utf8.count + frame.utf8.count < 1200 {
                    pieces[pieces.count - 1] += frame + "\n\n"
                } else {
                    pieces.append(frame + "\n\n")
                }
            }.map { piece in Array((piece.contains("\"properties\"") ? "\u{7F}" : "\u{7E}").utf8) + piece.utf8 }
        }
    }

    /// opencode's answers to calls, of both lines: values that are bounded, or a refusal.
    static let opencodeAnswers = Target(
        name: "opencode-answers",
        feed: { bytes in
            let (data, decoder) = (Data(bytes), JSONDecoder())
            guard isJSON(data) else { return }
            func read<Value: Decodable>(_ type: Value.Type) -> Value? { try? decoder.decode(type, from: data) }
            _ = read([V1Session].self)
            _ = read([V1Message].self)?.flatMap(\.facts)
            _ = read([String: V1Status].self)?.mapValues(\.fact)
            _ = read([V1Todo].self)?.map(\.todo)
            _ = read([V1FileDiff].self)?.compactMap(\.change)
            _ = read([V1Permission].self)?.map(\.ask)
            _ = read([V1Question].self)?.map(\.ask)
            _ = read([V1Agent].self)?.compactMap(\.entry)
            _ = read([V1Command].self)?.compactMap(\.entry)
            if let providers = read(V1Providers.self) { _ = (providers.entries, providers.standard) }
            _ = read(V2Answer<[V2Session]>.self)
            _ = read(V2Answer<[V2Permission]>.self)?.data.map(\.ask)
            _ = read(V2Answer<[V2FileDiff]>.self)?.data.map(\.change)
            _ = read(V2Answer<[V2Waiting]>.self)
            _ = read(V2Answer<[V2Model]>.self)?.data.compactMap(\.entry)
            _ = read(V2Answer<[V2Agent]>.self)?.data.compactMap(\.entry)
            _ = read(V2Page<V2Message>.self)
            _ = read(V2ErrorTag.self)
            for form in read(V2Answer<[V2Form]>.self)?.data ?? [] {
                // As a person would answer: the first label, or a number that may be none.
                let answers = form.ask.questions.map { [$0.options.first?.label ?? "7"] }
                if let answer = try? form.answer(answers) {
                    must(answer.count <= answers.count, "answers out of nothing")
                }
            }
        },
        seeds: {
            [
                #"[{"id":"ses_1","parentID":"ses_0","title":"t","directory":"/x","time":{"created":1,"updated":2}}]"#,
                #"[{"info":{"id":"m","role":"assistant","sessionID":"s","cost":1,"providerID":"p","modelID":"m","finish":"length","tokens":{"input":1,"output":2,"reasoning":0,"cache":{"read":0,"write":0}},"time":{"created":1,"completed":2}},"parts":[{"id":"p","type":"text","text":"x","messageID":"m","sessionID":"s"}]}]"#,
                #"[{"info":{"id":"m","role":"assistant","error":{"name":"APIError","data":{"message":"no","statusCode":401,"providerID":"p"}}},"parts":[{"id":"p","type":"tool","tool":"bash","callID":"c","messageID":"m","state":{"status":"completed","title":"t","output":"o","input":{"command":"ls","n":[1,{"a":null}]}}},{"id":"r","type":"retry","messageID":"m","attempt":2,"error":{"name":"ProviderAuthError"}}]}]"#,
                #"{"ses_1":{"type":"retry","attempt":2,"message":"slow","next":5}}"#,
                #"[{"content":"a","status":"pending","priority":"high","id":"1"}]"#,
                #"[{"file":"a","patch":"+x","additions":1e99,"deletions":-1,"status":"added"}]"#,
                #"[{"id":"p","sessionID":"s","permission":"bash","patterns":["ls"],"always":["*"],"tool":{"messageID":"m","callID":"c"},"metadata":{"command":"ls"}}]"#,
                #"[{"id":"q","sessionID":"s","questions":[{"question":"?","header":"h","options":[{"label":"a","description":"d"}],"multiple":true,"custom":false}]}]"#,
                #"[{"name":"build","description":"d","mode":"primary","hidden":false}]"#,
                #"{"data":[{"id":"ses_1","location":{"directory":"/x"},"revert":{},"fork":null}]}"#,
                #"{"data":[{"id":"p","sessionID":"s","action":"bash","resources":["ls"],"save":["*"],"metadata":{"diff":"+x"},"source":{"messageID":"m","id":"c"},"message":"w"}]}"#,
                #"{"data":[{"id":"f","sessionID":"s","title":"t","fields":[{"key":"a","type":"string","options":[{"value":"v","label":"l"}],"required":true},{"key":"b","type":"integer","when":[{"key":"a","op":"eq","value":"v"}]},{"key":"c","type":"multiselect","options":[{"value":"1","label":"one"}],"custom":true},{"key":"d","type":"boolean","hidden":true},{"key":"e","type":"external","url":"https://a.example.invalid"}],"metadata":{"tool":{"messageID":"m","id":"c"}},"state":{"status":"pending"}}]}"#,
                #"{"data":[{"file":"a","patch":"+x","additions":1,"deletions":0,"status":"deleted"}]}"#,
                #"{"data":[{"id":"m","payload":{"metadata":{"nexus":true}}}]}"#,
                #"{"data":[{"id":"m","providerID":"p","name":"M","status":"active","enabled":true,"limit":{"context":200000}}]}"#,
                #"{"data":[{"id":"m","type":"assistant","finish":"stop","content":[{"type":"text","text":"x"},{"type":"reasoning","text":"y","time":{"completed":1}},{"type":"tool","id":"t","name":"bash","state":{"status":"error","input":{"command":"ls"},"content":[{"text":"x","uri":"file:///a"}],"error":{"type":"provider.auth","message":"w","status":403}}}],"tokens":{"input":1},"cost":2,"model":{"id":"m","providerID":"p"},"snapshot":{"files":["a"]}},{"id":"c","type":"compaction","status":"completed","summary":"s"},{"id":"i","type":"idle","outcome":"failed","error":{"type":"aborted","message":"w"}}],"cursor":{"previous":"a","next":"b"}}"#,
                #"{"providers":[{"id":"a","name":"A","models":{"m":{"id":"m","name":"M","status":"active","limit":{"context":1,"output":2}}}}],"default":{"a":"m"}}"#,
                #"{"_tag":"SessionNotFoundError"}"#,
            ].map { Array($0.utf8) }
        })
}
