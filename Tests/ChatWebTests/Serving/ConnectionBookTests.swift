import Chat
import Testing

@testable import ChatWeb

/// Which connections go when there are too many.
@Suite(.timeLimit(.minutes(1)))
struct ConnectionBookTests {
    private func device(_ number: Int) -> DeviceID { DeviceID(rawValue: "\(number)") }

    @Test func strangerWithTooMany_losesHisOldest() {
        var book = ConnectionBook()
        let group = AddressGroup("203.0.113.1")
        let first = book.enter(group).number
        for _ in 1..<ConnectionBook.perStranger { #expect(book.enter(group).leaving.isEmpty) }
        #expect(book.enter(group).leaving == [first])
        #expect(book.counts.strangers == ConnectionBook.perStranger)
    }

    @Test func strangersTogetherWithTooMany_whoHasTheMostLoses_theNewcomerStays() {
        var book = ConnectionBook()
        let lonely = book.enter(AddressGroup("198.51.100.1")).number
        var crowd: [Int] = []
        for machine in 0..<4 {
            for _ in 0..<ConnectionBook.perStranger {
                let (number, leaving) = book.enter(AddressGroup("203.0.113.\(machine)"))
                #expect(!leaving.contains(lonely) && !leaving.contains(number))
                crowd.append(number)
            }
        }
        let newcomer = book.enter(AddressGroup("192.0.2.1"))
        #expect(newcomer.leaving.count == 1 && crowd.contains(newcomer.leaving[0]))
        #expect(book.counts.strangers == ConnectionBook.strangerLimit)
    }

    @Test func devices_areNotTouchedByStrangers_norByEachOther() {
        var book = ConnectionBook()
        let mine = book.enter(AddressGroup("203.0.113.1")).number
        #expect(book.use(mine, by: device(1)).isEmpty)
        for number in 0..<1000 {
            #expect(!book.enter(AddressGroup("203.0.113.\(number % 50)")).leaving.contains(mine))
        }
        for number in 0..<1000 {
            let connection = book.enter(AddressGroup("203.0.113.7")).number
            #expect(!book.use(connection, by: device(2 + number % 40)).contains(mine))
        }
        #expect(
            book.counts.devices <= ConnectionBook.deviceLimit && book.counts.strangers <= ConnectionBook.strangerLimit)
    }

    @Test func connectionOfTheTunnel_isWhoeversRequestIsOnIt() {
        var book = ConnectionBook()
        var pool = (0..<ConnectionBook.perStranger + 1).map { _ in book.enter(nil) }
        #expect(pool.allSatisfy { $0.leaving.isEmpty })
        let group = AddressGroup("203.0.113.1")
        let last = pool.removeLast().number
        for (number, _) in pool { #expect(book.use(number, by: group).isEmpty) }
        #expect(book.use(last, by: group) == [pool[0].number])
        #expect(book.use(last, by: nil as AddressGroup?).isEmpty)
        book.leave(last)
        #expect(book.use(last, by: group).isEmpty)
    }

    @Test(arguments: [
        ("2001:db8:1:2:3::4", "2001:db8:1:2::1", true), ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ("192.0.2.1", "192.0.2.2", false), ("unknown", "unknown", true),
    ])
    func networkOfIPv6_isOneStranger(_ one: String, _ other: String, _ isSame: Bool) {
        #expect((AddressGroup(one) == AddressGroup(other)) == isSame)
    }
}
