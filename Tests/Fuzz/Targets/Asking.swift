import Foundation

@testable import Chat
@testable import ChatWeb
@testable import OpenCode
@testable import Tunnel

extension Target {
    /// Bodies of the HTTP API, as whoever reaches the page may post them to any of its routes.
    static let bodies = Target(
        name: "bodies",
        feed: { bytes in
            if let request = try? ChatRequest(payload: bytes) { _ = "\(request)" }
            if let request = DeviceRequest(payload: bytes) { _ = "\(request)" }
            if let request = PushRequest(payload: bytes) { _ = "\(request)" }
            if let request = ApplianceRequest(payload: bytes) { _ = "\(request)" }
            if let request = TunnelRequest(payload: bytes) { _ = "\(request)" }
            if let request = KeepingRequest(payload: bytes) { _ = "\(request)" }
        },
        seeds: {
            [
                #"{"op":"send","session":1,"text":"hello","client_id":"x","wait":5}"#, #"{"op":"own"}"#,
                #"{"op":"revoke","device":7}"#, #"{"op":"password","old":"a","new":"b"}"#,
                #"{"op":"pair","tunnel":true}"#,
                #"{"op":"subscribe","endpoint":"https://push.example.invalid/x","keys":{"p256dh":"BA","auth":"AA"}}"#,
                #"{"op":"tail","child":"a","after":"0"}"#, #"{"op":"restart","child":"a"}"#, #"{"op":"metrics"}"#,
                #"{"op":"mode","mode":"named"}"#, #"{"op":"keep"}"#, #"{"op":"restore","bytes":12}"#,
                #"{"op":"upload","name":"a.txt","bytes":5,"type":"text/plain"}"#, #"{"op":"search","text":"x"}"#,
            ].map { Array($0.utf8) }
        })

    /// opencode's answers to calls, of both lines: values that are bounded, or a refusal.
    static let opencodeAnswers = Target(
        name: "opencode-answers",
        feed: { bytes in
            let (data, decoder) = (Data(bytes), JSONDecoder())
            func read<Value: Decodable>(_ type: Value.Type) -> Value? { try? decoder.decode(type, from: data) }
            _ = read([V1Session].self)
            _ = read([V1Message].self)
            _ = read([String: V1Status].self)
            _ = read([V1Todo].self)
            _ = read([V1FileDiff].self)
            _ = read([V1Permission].self)
            _ = read([V1Question].self)
            _ = read([V1Agent].self)?.compactMap(\.entry)
            _ = read([V1Command].self)?.compactMap(\.entry)
            _ = read(V1Providers.self)
            _ = read(V2Answer<[V2Session]>.self)
            _ = read(V2Answer<[V2Permission]>.self)
            _ = read(V2Answer<[V2Form]>.self)
            _ = read(V2Answer<[V2FileDiff]>.self)?.data.map(\.change)
            _ = read(V2Page<V2Message>.self)
            _ = V1Frame.read(bytes)
            _ = V2Frame.read(bytes)
        },
        seeds: {
            [
                #"[{"id":"ses_1","title":"t","directory":"/x","time":{"created":1,"updated":2}}]"#,
                #"[{"info":{"id":"m","role":"assistant","sessionID":"s","cost":1,"tokens":{"input":1,"output":2,"reasoning":0,"cache":{"read":0,"write":0}},"time":{"created":1,"completed":2}},"parts":[{"id":"p","type":"text","text":"x","messageID":"m","sessionID":"s"}]}]"#,
                #"{"ses_1":{"type":"retry","attempt":2,"message":"slow","next":5}}"#,
                #"[{"content":"a","status":"pending","priority":"high","id":"1"}]"#,
                #"{"data":[{"id":"ses_1","location":{"directory":"/x"}}]}"#,
                #"{"data":[{"id":"m","type":"assistant","time":{"created":1}}],"cursor":{"previous":"a","next":"b"}}"#,
                #"{"providers":[{"id":"a","name":"A","models":{"m":{"id":"m","name":"M","limit":{"context":1,"output":2}}}}],"default":{"a":"m"}}"#,
            ].map { Array($0.utf8) }
        })

    /// What cloudflared says on its metrics port, in its log, by its version and at its end.
    static let cloudflared = Target(
        name: "cloudflared",
        feed: { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            must(MetricsPort.counter("cloudflared_tunnel_tunnel_register_success", in: text) >= 0, "a count below 0")
            if let rules = try? JSONDecoder().decode(IngressRules.self, from: Data(bytes)) {
                let socket = "/run/nexus/chat.sock"
                _ = rules.hostnames(chatSocket: socket)
                // Whatever leads to the chat alone has a last rule that leads nowhere.
                must(
                    rules.excess(chatSocket: socket) != nil || rules.rules.last?.isForAll == true,
                    "rules without an end are taken for safe")
            }
            _ = LogTail.fact(bytes)
            _ = ProgramVersion(output: text)
            let end = EndWords(exit: "exit 1", lines: text.split(separator: "\n").map(String.init))
            must(end.words.count <= EndWords.lineLimit + 200, "words beyond their bound")
        },
        seeds: {
            [
                #"{"version":-1,"config":{"ingress":[{"service":"http_status:503"}],"warp-routing":{"enabled":true}}}"#,
                #"{"version":3,"config":{"ingress":[{"hostname":"*.example.invalid","path":"^/a.*","service":"unix:/run/nexus/chat.sock"},{"service":"http_status:404"}],"warp-routing":{}}}"#,
                "# HELP x\ncloudflared_tunnel_tunnel_register_success{rpcName=\"registerConnection\"} 4\n"
                    + "cloudflared_tunnel_tunnel_register_success 1e3\n",
                #"{"level":"error","message":"Register tunnel error from server side","error":"Unauthorized"}"#,
                #"{"message":"precheck complete","suggested_protocol":"http2"}"#, "2026.8.2\n", "DEV",
                "2026-11-22T11:25:30Z ERR Could not lookup srv records\nerror: address already in use",
                "panic: runtime error\ngoroutine 1 [running]:", "429 Too Many Requests",
            ].map { Array($0.utf8) }
        })
}
