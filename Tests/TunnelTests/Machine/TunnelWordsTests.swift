import Testing
import Tunnel

/// Words that an owner reads say what to do.
@Suite(.timeLimit(.minutes(1)))
struct TunnelWordsTests {
    private func words(_ events: [TunnelMachine.Event], whenOn: TunnelMode = .token, file: TunnelMode = .off) -> String
    {
        var machine = TunnelMachine()
        for event in events { _ = machine.step(event, at: .seconds(1)) }
        return machine.words(chatSocket: "/run/chat.sock", whenOn: whenOn, file: file)
    }

    @Test func offTunnelThatIsSetUp_isStarted_andAnotherIsSetUp() {
        #expect(words([.chosen(.off)]).hasSuffix("nexusctl tunnel start"))
        #expect(words([.chosen(.off)], whenOn: .off).hasSuffix("nexusctl tunnel setup"))
        #expect(words([.chosen(.off)], whenOn: .off, file: .named).hasSuffix("nexusctl tunnel mode file (named)"))
    }

    /// What is not heard is not said: how many connections stand nobody knows.
    @Test func oneThatDoesNotAnswer_isSaidSo_untilItIsStartedAnew() {
        var machine = TunnelMachine()
        func step(_ second: Int, _ event: TunnelMachine.Event) -> [TunnelMachine.Action] {
            machine.step(event, at: .seconds(second))
        }
        _ = step(0, .chosen(.named))
        _ = step(1, TunnelMachineTests.runs())
        _ = step(2, TunnelMachineTests.seen(4))
        _ = step(3, .suspended(true))
        _ = step(3, .measured(nil, excess: nil))
        #expect(machine.state.words == "reconnecting: cloudflared does not answer on its metrics port")
        #expect(machine.isSuspended)
        let why = "stuck: it does not answer on its metrics port"
        #expect(step(63, .tick) == [.restart(.auto, why: why)])
        #expect(!machine.isSuspended)
        // One that answers says itself that none stands.
        _ = step(64, TunnelMachineTests.runs("1-2"))
        _ = step(65, TunnelMachineTests.seen(4))
        _ = step(66, TunnelMachineTests.seen(0))
        #expect(machine.state == .reconnecting(.said))
    }

    @Test func exposure_saysWhatEndsIt() {
        let rule = words([.halted(.token, .exposure("rule 1 leads to ssh"))])
        #expect(rule.hasSuffix("rule 1 leads to ssh; mend it at Cloudflare, then nexusctl tunnel start"))
        let door = words([.door(.open("no password")), .chosen(.token)])
        #expect(door.hasSuffix("no password; it is started by itself when that is mended"))
    }

    @Test func exposure_isNotCalledStopped_untilItHasEnded() {
        var machine = TunnelMachine()
        _ = machine.step(.halted(.token, .exposure("rule 1 leads to ssh")), at: .zero)
        let words = machine.words(chatSocket: "/run/chat.sock", whenOn: .token, file: .off, isThere: true)
        #expect(
            words
                == "exposes more than the chat: cloudflared is being ended, and what it exposes can be reached until it has: "
                + "rule 1 leads to ssh")
    }

    @Test func addressThatNoLookGetsTo_isTold_andNothingIsStartedAnew() {
        var machine = TunnelMachine()
        for event in [TunnelMachine.Event.chosen(.named), TunnelMachineTests.runs(), TunnelMachineTests.seen(4)] {
            _ = machine.step(event, at: .zero)
        }
        for (second, look) in [(30, OutsideLook.unsaid), (60, .lost), (90, .asked)] {
            #expect(!machine.addressFails)
            #expect(machine.step(.outside(look), at: .seconds(second)).isEmpty)
        }
        #expect(machine.addressFails)
        _ = machine.step(.outside(.here), at: .seconds(120))
        #expect(!machine.addressFails)
    }

    @Test func startAnew_isSaidWithItsReason_forAWhile_orUntilAChoice() {
        var machine = TunnelMachine()
        for (second, event) in [
            (0, TunnelMachine.Event.chosen(.named)), (1, TunnelMachineTests.runs()), (2, TunnelMachineTests.seen(4)),
            (10, TunnelMachineTests.seen(0)), (69, .tick),
        ] {
            _ = machine.step(event, at: .seconds(second))
            #expect(machine.whyAnew(at: .seconds(second)) == nil)
        }
        #expect(machine.step(.tick, at: .seconds(70)).count == 1)
        _ = machine.step(TunnelMachineTests.runs("1-2"), at: .seconds(71))
        _ = machine.step(TunnelMachineTests.seen(4), at: .seconds(72))
        let why = "stuck: the network is there, and no connection comes back"
        #expect(machine.whyAnew(at: .seconds(669)) == why)
        #expect(machine.whyAnew(at: .seconds(670)) == nil)
        _ = machine.step(.chosen(.named), at: .seconds(100))
        #expect(machine.whyAnew(at: .seconds(101)) == nil)
    }

    @Test func whatGoesOn_isNotWhatDoesNotRun() {
        var machine = TunnelMachine()
        #expect(machine.whatGoesOn == "and nothing runs")
        _ = machine.step(.found(.named, run: "1-1"), at: .zero)
        #expect(machine.whatGoesOn == "and what runs goes on")
        _ = machine.step(.child(.down(.init(run: "1-1", words: "exit 2"))), at: .seconds(1))
        #expect(machine.whatGoesOn == "and what was chosen before is tried again, as it was")
    }
}
