import AgentModel
import ControlClient
import Foundation
import Wire

@testable import Chat

extension Target {
    /// JSON as nexusctl reads it from nexusd: what is read is bounded and never traps.
    static let answers = Target(
        name: "answers",
        feed: { bytes in
            guard let value = try? JSONParser.parse(bytes) else { return }
            _ = StatusReport(value)
        },
        seeds: {
            [#"{"version":"0.1.0","pid":1,"children":[{"name":"a","state":"ready","since_ms":5}]}"#, "[1,-2.5e3,true]"]
                .map {
                    Array($0.utf8)
                }
        })

    /// What goes over the bus between chat-bridge and agent-worker: requests, answers, events.
    static let chat = Target(
        name: "chat",
        feed: { bytes in
            let data = Data(bytes)
            guard isJSON(data) else { return }
            let decoder = JSONDecoder()
            _ = try? decoder.decode(ChatRequest.self, from: data)
            _ = try? decoder.decode(AgentRequest.self, from: data)
            _ = try? decoder.decode(AgentReply.self, from: data)
            guard let event = try? decoder.decode(AgentEvent.self, from: data) else { return }
            // What is read is written so that it is read again: the store keeps it as JSON.
            let written = try? JSONEncoder().encode(event)
            must(written.flatMap { try? decoder.decode(AgentEvent.self, from: $0) } == event, "another event")
        },
        seeds: {
            [
                #"{"op":"send","session":1,"text":"hello","client_id":"x"}"#, #"{"op":"describe"}"#,
                #"{"op":"run-turn","session":"s","text":"t","model":"p/m","files":[{"name":"a","mime":"text/plain","bytes":3}]}"#,
                #"{"op":"open-session","title":"t","workspace":"/srv"}"#, #"{"op":"abort","session":"s"}"#,
                #"{"op":"answer-permission","session":"s","id":"p","reply":"once","message":"m"}"#,
                #"{"op":"answer-question","session":"s","id":"q","answers":[["a"]]}"#,
                #"{"op":"rename-session","session":"s","title":"t"}"#, #"{"op":"delete-session","session":"s"}"#,
                #"{"op":"fork-session","session":"s","before":"m"}"#, #"{"op":"revert","session":"s","to":"m"}"#,
                #"{"op":"unrevert","session":"s"}"#, #"{"op":"catalog"}"#, #"{"session":"ses_1"}"#,
                #"{"aborted":true}"#, #"{"answered":true}"#, #"{"changed":true}"#,
                #"{"description":{"product":"opencode","version":"1","ready":true,"state":"s","workspaces":["/srv"]}}"#,
                #"{"event":"turn-started","prompt":"m"}"#, #"{"event":"text-delta","block":"b","text":"t"}"#,
                #"{"event":"text-block","block":"b","text":"t"}"#, #"{"event":"notice","text":"t"}"#,
                #"{"event":"reasoning-delta","block":"b","text":"t"}"#,
                #"{"event":"tool","tool":{"id":"t","name":"bash","status":"running","title":"ls","input":"i","output":"o"}}"#,
                #"{"event":"permission-asked","id":"p","action":"bash","resources":["ls"],"always":["*"],"details":"d"}"#,
                #"{"event":"question-asked","id":"q","questions":[{"header":"h","question":"?","options":[{"label":"a","description":"d"}],"multiple":true,"custom":false}]}"#,
                #"{"event":"answered","id":"p","answer":"always","by":"user"}"#,
                #"{"event":"todos","todos":[{"content":"c","status":"in_progress","priority":"high"}]}"#,
                #"{"event":"changes","changes":[{"path":"a","status":"added","additions":1,"deletions":2,"patch":"+x"}]}"#,
                #"{"event":"usage","usage":{"input":1,"output":2e3,"reasoning":0,"cache_read":-4,"cache_write":5,"cost":0.5,"model":"p/m"}}"#,
                #"{"event":"turn-ended","outcome":"failed","reason":"r"}"#,
                #"{"event":"turn-ended","outcome":"done"}"#,
            ].map { Array($0.utf8) }
        })
}
