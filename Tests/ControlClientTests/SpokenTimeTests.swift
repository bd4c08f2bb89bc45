import Glibc
import Testing

@testable import ControlClient

@Suite("Times as people write them", .serialized, .timeLimit(.minutes(1))) struct SpokenTimeTests {
    /// 2026-11-25T12:34:56Z.
    private let now = WallTime(nanosecondsSince1970: 1_795_610_096_000_000_000)

    private func utc(_ text: String) -> String? { WallTime(spoken: text, now: now)?.rfc3339 }

    /// With this zone in force.
    private func within(_ zone: String, _ body: () -> Void) {
        let before = getenv("TZ").map { String(cString: $0) }
        setenv("TZ", zone, 1)
        tzset()
        body()
        if let before { setenv("TZ", before, 1) } else { unsetenv("TZ") }
        tzset()
    }

    @Test func absoluteAndRelativeTimes_areRead() {
        within("UTC0") {
            #expect(utc("2026-11-25T10:00:00Z") == "2026-11-25T10:00:00.000Z")
            #expect(utc("2026-11-25T10:00:00+01:00") == "2026-11-25T09:00:00.000Z")
            #expect(utc("2026-11-25 10:00") == "2026-11-25T10:00:00.000Z")
            #expect(utc("2026-11-25T10:00:07") == "2026-11-25T10:00:07.000Z")
            #expect(utc("2024-02-29") == "2024-02-29T00:00:00.000Z")
            #expect(utc("10:30") == "2026-11-25T10:30:00.000Z")
            #expect(utc("now") == "2026-11-25T12:34:56.000Z")
            #expect(utc("today") == "2026-11-25T00:00:00.000Z")
            #expect(utc("yesterday") == "2026-11-24T00:00:00.000Z")
            #expect(utc("10min") == "2026-11-25T12:24:56.000Z")
            #expect(utc("10min ago") == "2026-11-25T12:24:56.000Z")
            #expect(utc("90") == "2026-11-25T12:33:26.000Z")
            #expect(utc("@1795610096") == "2026-11-25T12:34:56.000Z")
        }
    }

    @Test func timeWithoutAZone_isLocal() {
        within("XYZ-5:30") {
            #expect(utc("2026-11-25 10:00") == "2026-11-25T04:30:00.000Z")
            #expect(utc("today") == "2026-11-24T18:30:00.000Z")
            #expect(utc("10:30") == "2026-11-25T05:00:00.000Z")
            #expect(utc("2026-11-25T10:00:00Z") == "2026-11-25T10:00:00.000Z")
        }
    }

    @Test(arguments: [
        "", " ", "tomorrow", "10", "10:", "25:00", "10:60", "2026-02-30", "2026-13-01", "2026-1-1", "2026-11-25 x",
        "2026-11-25 10:00 x", "10 parsecs", "@x", "-5min", "2026-11-25T", "10:00 10:00", "ago",
    ])
    func anythingElse_isRefused(text: String) {
        within("UTC0") {
            if text == "10" {
                #expect(utc(text) != nil, "a bare number is seconds")
            } else if text == "2026-11-25T" {
                #expect(utc(text) == "2026-11-25T00:00:00.000Z")
            } else {
                #expect(utc(text) == nil)
            }
        }
    }
}
