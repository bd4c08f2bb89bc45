import Testing

@testable import LogStore

@Suite("Stamps") struct WallStampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"), (951_827_696_123_456, "2000-02-29T12:34:56.123456Z"),
        (1_795_406_706_123_456, "2026-11-23T04:05:06.123456Z"), (4_102_444_799_999_999, "2099-12-31T23:59:59.999999Z"),
    ])
    func stamp_isShownAndReadBack(microseconds: Int64, text: String) {
        let stamp = WallStamp(microseconds: microseconds)
        #expect(stamp.description == text)
        #expect(WallStamp(Array(text.utf8)) == stamp)
    }

    @Test func everyDayOfFourCenturies_isReadBack() {
        for day in stride(from: Int64(-200_000), to: 200_000, by: 7) {
            let stamp = WallStamp(microseconds: day * 86_400_000_000 + 43_200_000_001)
            #expect(WallStamp(stamp.bytes) == stamp)
        }
    }

    @Test func instantOutsideTheCalendar_isShownAsTheNearest() {
        #expect(WallStamp(microseconds: .max).description == "9999-12-31T23:59:59.999999Z")
        #expect(WallStamp(microseconds: .min).description == "0000-01-01T00:00:00.000000Z")
    }

    @Test(arguments: [
        "", "2026-11-23", "2026-11-23 04:05:06.123456Z", "2026-13-23T04:05:06.123456Z", "2026-11-00T04:05:06.123456Z",
        "2026-11-23T24:05:06.123456Z", "2026-11-23T04:05:06.12345xZ", "2026-11-23T04:05:06.123456+",
    ])
    func otherText_isRefused(text: String) { #expect(WallStamp(Array(text.utf8)) == nil) }

    @Test func rotatedNames_sortByAgeAndTellTheirInstant() {
        let earlier = WallStamp(microseconds: 1_795_406_706_123_456)
        let later = WallStamp(microseconds: 1_795_406_706_123_457)
        #expect(LogFileName.rotated(at: earlier) == "@20261123T040506.123456Z.log")
        #expect(LogFileName.rotated(at: earlier) < LogFileName.rotated(at: later))
        #expect(LogFileName.stamp(of: LogFileName.rotated(at: later)) == later)
        #expect(LogFileName.stamp(of: "current") == nil && !LogFileName.isRotated("@x.log"))
    }

    @Test(arguments: ["", ".", "..", "a/b", ".hidden", "runs", "lock", "a b", "ä", String(repeating: "a", count: 65)])
    func nameThatIsNoDirectory_isRefused(name: String) { #expect(!LogFileName.isChild(name)) }
}
