import Foundation

@testable import Chat
@testable import ChatWeb
@testable import Tunnel

extension Target {
    /// Bodies of the HTTP API, as whoever reaches the page may post them to any of its routes.
    static let bodies = Target(
        name: "bodies",
        feed: { bytes in
            if let request = try? ChatRequest(payload: bytes) { _ = "\(request)" }
            guard isJSON(Data(bytes)) else { return }
            if let request = DeviceRequest(payload: bytes) { _ = "\(request)" }
            if let request = PushRequest(payload: bytes) { _ = "\(request)" }
            if let request = ApplianceRequest(payload: bytes) { _ = "\(request)" }
            if let request = TunnelRequest(payload: bytes) { _ = "\(request)" }
            if let request = KeepingRequest(payload: bytes) { _ = "\(request)" }
        },
        seeds: {
            [
                #"{"op":"send","session":1,"text":"hello","client_id":"x","attachments":[{"id":"u","name":"a.txt"}]}"#,
                #"{"op":"send","workspace":"/srv","text":"/compact","client_id":"x","model":"p/m","agent":null}"#,
                #"{"op":"list","numbered":true}"#, #"{"op":"changes","after":3}"#, #"{"op":"history","session":1}"#,
                #"{"op":"open","session":1,"before":9,"turn":8,"limit":5}"#, #"{"op":"search","text":"x","limit":-1}"#,
                #"{"op":"resume","session":1,"after":0,"follow":true,"list":7}"#,
                #"{"op":"abort","session":1,"turn":2}"#, #"{"op":"rename","session":1,"title":"t"}"#,
                #"{"op":"delete","session":1}"#, #"{"op":"fork","session":1,"turn":2}"#,
                #"{"op":"revert","session":1,"turn":2}"#, #"{"op":"unrevert","session":1}"#,
                #"{"op":"upload","bytes":5}"#, #"{"op":"piece","data":"aGVsbG8=","at":0,"upload":"u"}"#,
                #"{"op":"catalog","workspace":"/srv"}"#, #"{"op":"choose","session":1,"model":"p/m"}"#,
                #"{"op":"answer","session":1,"id":"p","reply":"reject","message":"no"}"#,
                #"{"op":"answer","session":1,"id":"q","answers":[["a","b"],[]]}"#, #"{"op":"describe"}"#,
                #"{"op":"export","session":1,"format":"markdown"}"#, #"{"op":"own"}"#, #"{"op":"devices"}"#,
                #"{"op":"revoke","device":7}"#, #"{"op":"password","set":"a"}"#, #"{"op":"password","remove":true}"#,
                #"{"op":"pair","role":"owner","here":true}"#, #"{"op":"leave"}"#, #"{"op":"key"}"#,
                #"{"op":"subscribe","endpoint":"https://push.example.invalid/x","p256dh":"BA","auth":"AA"}"#,
                #"{"op":"unsubscribe"}"#, #"{"op":"tail","child":"a","at":"0","same":2}"#,
                #"{"op":"restart","child":"a"}"#, #"{"op":"why","child":"a"}"#, #"{"op":"status"}"#,
                #"{"op":"metrics"}"#, #"{"op":"may"}"#, #"{"op":"start"}"#, #"{"op":"stop"}"#,
                #"{"op":"mode","mode":"named"}"#, #"{"op":"keep"}"#, #"{"op":"backup"}"#,
                #"{"op":"restore","bytes":12}"#,
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
