import ControlClient
import Testing
import Wire

@Suite(.timeLimit(.minutes(1))) struct DiffTextTests {
    private func text(_ json: String) throws -> String {
        DiffText(try JSONParser.parse(Array(json.utf8))).text(for: Terminal(colour: false, columns: nil))
    }

    @Test func everyKindOfDifference_hasItsLine() throws {
        let json = #"""
            {"children":[{"name":"new","change":"added","settings":[]},
            {"name":"web","change":"restarted","settings":[
            {"setting":"command","restarts":true,"from":"/bin/web","to":"/bin/web -v"},
            {"setting":"environment.TOKEN","restarts":true,"from":null,"to":null},
            {"setting":"stop-timeout","restarts":false,"from":"10s","to":"3s"}]},
            {"name":"soft","change":"changed","settings":[{"setting":"log","restarts":false,"from":"a","to":"b\u001b[2J"}]},
            {"name":"gone","change":"removed","settings":[]}],
            "dependents":["app"],"groups":[{"name":"g","change":"changed","settings":[]}],"supervisor":["read-users"],"unchanged":1,
            "omitted":2,"notes":["a note"]}
            """#
        #expect(
            try text(json) == """
                + new added
                ! web restarted
                    command            /bin/web → /bin/web -v  (needs the restart)
                    environment.TOKEN  another value (not shown: it may be a secret)  (needs the restart)
                    stop-timeout       10s → 3s
                ~ soft changed in place
                    log  a → b
                - gone removed
                ! app restarted with what it requires
                ~ group g changed in place
                ~ [supervisor] read-users changed
                … and 2 more differences
                1 child unchanged, log-writer among them
                note: a note

                """)
    }

    @Test func logWriterThatIsTouched_isNotAmongTheUnchanged() throws {
        func last(_ change: String, unchanged: Int) throws -> String? {
            let json =
                #"{"children":[\#(change)],"groups":[],"supervisor":[],"unchanged":\#(unchanged),"omitted":0,"notes":[]}"#
            return try text(json).split(separator: "\n").last.map(String.init)
        }
        let writer = #"{"name":"log-writer","change":"restarted","settings":[]}"#
        let web = #"{"name":"web","change":"restarted","settings":[]}"#
        #expect(try last(writer, unchanged: 2) == "2 children unchanged")
        #expect(try last(writer + "," + web, unchanged: 0) == "0 children unchanged")
        #expect(try last(web, unchanged: 1) == "1 child unchanged, log-writer among them")
    }

    @Test func whatIsTriedAgain_isADifference() throws {
        let json =
            #"{"children":[],"tried_again":["web"],"groups":[],"supervisor":[],"unchanged":2,"omitted":0,"notes":[]}"#
        #expect(
            try text(json)
                == "~ web tried again, for it is parked\n2 children unchanged, log-writer among them\n"
        )
    }

    @Test func changedInPlace_andTriedAgain_isOneLine() throws {
        let json = #"""
            {"children":[{"name":"web","change":"changed","settings":[
            {"setting":"delay.cap","restarts":false,"from":"30s","to":"9s"}]}],
            "tried_again":["web","app"],"groups":[],"supervisor":[],"unchanged":2,"omitted":0,"notes":[]}
            """#
        #expect(
            try text(json) == """
                ~ web changed in place, and tried again, for it is parked
                    delay.cap  30s → 9s
                ~ app tried again, for it is parked
                2 children unchanged, log-writer among them

                """)
    }

    @Test func noDifference_isSaid() throws {
        let json = #"{"children":[],"groups":[],"supervisor":[],"unchanged":4,"omitted":0,"notes":[]}"#
        #expect(try text(json) == "no difference: 4 children unchanged\n")
    }
}
