import Foundation
import Plan
import SupervisorCore
import System
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct ControlSocketTests {
        private func tree(_ count: Int = 1) throws -> RunningTree {
            try RunningTree(Plan(children: (0..<count).map { child("c\($0)", "serve") }))
        }

        @Test func welcome_namesProtocolPeerAndWorkers() throws {
            let tree = try RunningTree(Plan(children: [child("w", "worker", readiness: .bus, worker: WorkerPlan())]))
            let client = try tree.client()
            let frame = try client.next()
            #expect(frame.header.kind == .welcome)
            let json = try #require(try JSONSerialization.jsonObject(with: Data(frame.payload)) as? [String: Any])
            #expect(json["protocol"] as? Int == 1)
            #expect(json["peer"] as? Int ?? 0 >= 0x8000)
            let peers = try #require(json["peers"] as? [[String: Any]])
            #expect(peers.first?["name"] as? String == "w")
            #expect(peers.first?["peer"] as? Int == 1)
        }

        @Test func statusOfManyChildren_comesInPieces_andIsOneObject() throws {
            let tree = try tree(200)
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            guard case .stream(let text) = try client.ask("status") else { Issue.record("it fits a frame"); return }
            let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect((json["children"] as? [Any])?.count == 200)
            #expect(json["ready"] as? Bool == true)
            #expect(try tree.stop() == .code(0))
        }

        @Test func twoStatusesAtOnce_doNotMix() throws {
            let tree = try tree(150)
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let (first, second) = (try client.request("status"), try client.request("status c7"))
            guard case .reply(let one) = try client.end(of: second) else { Issue.record("no reply"); return }
            #expect(one.contains(#""name":"c7""#))
            _ = first
        }

        @Test func wrongWords_areErrors_andTheConnectionGoesOn() throws {
            let tree = try tree()
            let client = try tree.client()
            guard case .error("bad-request", _) = try client.ask("dance") else { Issue.record("no error"); return }
            guard case .error("unknown", _) = try client.ask("status nobody") else { Issue.record("no error"); return }
            guard case .error("too-large", _) = try client.ask("status " + String(repeating: "x", count: 5000)) else {
                Issue.record("no error")
                return
            }
            #expect(try client.object("version")["version"] as? String == NexusVersion.current)
        }

        @Test func framesBeforeHello_endTheConnectionWithAWord() throws {
            let tree = try tree()
            let client = try ControlPeer(tree.socket, greets: false)
            try client.send(Frame(.request, peer: .nexusd, id: FrameID(rawValue: 1), payload: Array("status".utf8)))
            #expect(try client.next().header.kind == .error)
            #expect(throws: ControlPeer.Gone.self) { try client.next() }
            #expect(try tree.client().object("version")["protocol"] as? Int == 1)
        }

        @Test(arguments: [[UInt8](repeating: 0xFF, count: 16), [UInt8](repeating: 0, count: 64)])
        func garbage_endsTheConnection_andNothingElse(bytes: [UInt8]) throws {
            let tree = try tree()
            let client = try tree.client()
            _ = try client.next()
            try client.send(bytes: bytes)
            #expect(try client.next().header.kind == .error)
            #expect(throws: ControlPeer.Gone.self) { try client.next() }
            #expect(try tree.client().ask("wait-ready") == .reply(#"{"ready":true}"#))
        }

        @Test func silentClientAndHalfFrame_areGivenUpAfterFiveSeconds() throws {
            let tree = try tree()
            let (silent, half) = (try ControlPeer(tree.socket, greets: false), try tree.client())
            _ = try half.next()
            try half.send(bytes: [0, 0])
            #expect(try silent.next(within: .seconds(15)).header.kind == .error)
            #expect(throws: ControlPeer.Gone.self) { try silent.next() }
            #expect(try half.next(within: .seconds(15)).header.kind == .error)
            #expect(throws: ControlPeer.Gone.self) { try half.next() }
        }

        @Test func cancelledRequest_isNotAnswered() throws {
            let tree = try tree()
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let events = try client.request("events")
            try client.send(Frame(.cancel, peer: .nexusd, id: events))
            _ = try client.ask("stop c0")
            _ = try client.ask("start c0")
            // Answers come in order: an event of the cancelled subscription would have come before this one.
            let last = try client.request("version")
            while true {
                let frame = try client.next()
                if frame.header.id == last { break }
                #expect(frame.header.id != events || frame.header.kind == .error)
            }
        }

        @Test func signalToAChild_reachesItAndIsJudgedAsAnyEnd() throws {
            let tree = try RunningTree(
                Plan(children: [child("c", "serve"), child("off", "serve") { $0.policy.enabled = false }]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let before = try #require(try client.status("c")["pid"] as? Int)
            let events = try client.request("events")
            #expect(try client.ask("signal c KILL") == .reply(#"{"outcome":"done"}"#))
            let end = try client.event(events) { $0["message_id"] as? String == EventKind.ended.messageID }
            #expect((end["fields"] as? [String: String])?["CAUSE"] == "crash")
            _ = try client.ask("wait-ready c")
            #expect(try client.status("c")["pid"] as? Int != before)
            guard case .error("failed", let words) = try client.ask("signal off TERM") else {
                Issue.record("no error"); return
            }
            #expect(words == "off has no process: it is off")
        }

        @Test func moreThan64Clients_areToldToTryAgain() throws {
            let tree = try tree()
            let clients = try (0..<64).map { _ in try tree.client() }
            for client in clients { #expect(try client.next().header.kind == .welcome) }
            let late = try tree.client()
            let frame = try late.next()
            #expect(frame.header.kind == .error)
            #expect(String(decoding: frame.payload, as: UTF8.self).contains("busy"))
        }

        @Test func halfOpenClients_theNextIsToldTheBoundAndWhatToDo() throws {
            let tree = try tree()
            let waiting = try (0..<64).map { _ in try ControlPeer(tree.socket, greets: false) }
            // As many as are kept a moment for their last words, and more.
            for round in 0..<20 {
                let late = try ControlPeer(tree.socket, greets: round.isMultiple(of: 2))
                let frame = try late.next()
                #expect(frame.header.kind == .error && frame.header.id == .none)
                let words = String(decoding: frame.payload, as: UTF8.self)
                #expect(
                    words.contains("busy") && words.contains("64 clients") && words.contains("try again"), "\(words)")
                #expect(throws: ControlPeer.Gone.self) { try late.next() }
            }
            let answer = try tree.ctl("status")
            #expect(answer.status != 0 && answer.errors.contains("64 clients"), "\(answer.errors)")
            _ = consume waiting
        }

        /// As above for a worker: what it is owed can never be written, and it does not leave.
        @Test func clientThatReadsNoMore_isDismissed_andTheLoopDoesNotSpin() throws {
            let tree = try tree()
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let deaf = try tree.client()
            _ = try deaf.next()
            try deaf.readNoMore()
            let before = try client.turns()
            _ = try deaf.request("status")
            try waitFor("the end of the connection") { try client.metrics("clients") as? Int == 1 }
            let turns = try client.turns() - before
            #expect(turns < 1000, "\(turns) turns")
        }

        @Test func controlVerb_isAudited() throws {
            let tree = try tree()
            let client = try tree.client()
            let events = try client.request("events")
            _ = try client.ask("wait-ready")
            _ = try client.request("stop c0 --no-wait")
            let audit = try client.event(events) { $0["message_id"] as? String == EventKind.audit.messageID }
            #expect((audit["message"] as? String)?.contains("asks: stop child:c0") == true)
            #expect((audit["fields"] as? [String: String])?["CLIENT_PID"] == "\(getpid())")
        }

        /// Also one with more ancestors than are looked through: it cannot be told, so it may not come in.
        @Test(arguments: [(0, "belongs to spy"), (70, "belongs to a line of more than 64 processes")])
        func processOfAChild_isRefused_whereUidsDoNotTell(generations: Int, why: String) throws {
            let python = "/usr/bin/python3"
            guard access(python, X_OK) == 0 else { print("skipped: no python3"); return }
            let program = """
                import os, socket, sys
                for _ in range(\(generations)):
                    if os.fork(): os.wait(); os._exit(0)
                    os.setsid()
                s = socket.socket(socket.AF_UNIX); s.connect(os.environ['SOCKET'])
                try: s.sendall(bytes([0,0,0,7,1,1,0,0]) + bytes(8) + b'1 1 bad')
                except OSError: pass  # the refusal may come first
                s.settimeout(10); open(os.environ['SOCKET'] + '.said', 'wb').write(s.recv(4096))
                """
            let spy = child("spy") { child in
                child.executable = python
                child.arguments = [Text("python3"), Text("-c"), Text(program)]
                child.policy.restart = .never
            }
            var plan = Plan(children: [spy])
            let directory = TemporaryFlag().path + "-run"
            plan.children[0].environment.append(Variable(name: "SOCKET", value: Text(directory + "/control.sock")))
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let tree = try RunningTree(plan, runtime: directory)
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            while try client.status("spy")["run"] as? String != nil { usleep(2000) }
            let said = tree.file(directory + "/control.sock.said")
            #expect(said.contains("refused"))
            #expect(said.contains(why))
        }

        @Test func manyRequestsInOneWrite_haveABoundAndTheRestIsBusy() throws {
            let tree = try tree()
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let ids = (1...200).map { FrameID(rawValue: 1000 + $0) }
            try client.send(
                bytes: ids.flatMap { Frame(.request, peer: .nexusd, id: $0, payload: Array("version".utf8)).bytes })
            // In any order: errors overtake replies.
            var open = Set(ids)
            var answered = 0
            while !open.isEmpty {
                let frame = try client.next()
                guard open.remove(frame.header.id) != nil else { continue }
                if frame.header.kind == .reply { answered += 1 }
            }
            #expect(answered >= ServingMeter.limit && answered < ids.count)
            #expect(try client.object("version")["protocol"] as? Int == 1)
        }

        @Test func requestsThatWait_areBoundedForEachLink() throws {
            let tree = try tree()
            let (client, other) = (try tree.client(), try tree.client())
            _ = try client.ask("wait-ready")
            for _ in 0..<OpenAnswers.limitPerRequester { _ = try client.request("events") }
            guard case .error("busy", let words) = try client.ask("version") else { Issue.record("no error"); return }
            #expect(words.contains("16 requests"))
            // Nobody else pays for it, and what was left behind is forgotten with its link.
            #expect(try other.object("version")["protocol"] as? Int == 1)
        }
    }
}
