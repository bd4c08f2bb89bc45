import Testing

@testable import ChatWeb

@Suite(.timeLimit(.minutes(1)))
struct TokenBucketsTests {
    private let start = ContinuousClock.now

    @Test func emptyBucket_saysAfterHowLong_andFillsSteadily() {
        var buckets = TokenBuckets<String>(capacity: 2, perSecond: 0.5)
        #expect(buckets.take("a", at: start) == nil)
        #expect(buckets.take("a", at: start) == nil)
        #expect(buckets.take("a", at: start) == .seconds(2))
        #expect(buckets.take("a", at: start + .seconds(1)) == .seconds(1))
        #expect(buckets.take("a", at: start + .seconds(2)) == nil)
        #expect(buckets.take("a", at: start + .seconds(2)) == .seconds(2))
    }

    @Test func oneKeyEmpty_othersAreServed() {
        var buckets = TokenBuckets<String>(capacity: 1, perSecond: 1)
        #expect(buckets.take("a", at: start) == nil)
        #expect(buckets.take("a", at: start) != nil)
        #expect(buckets.take("b", at: start) == nil)
    }

    @Test func tooManyKeys_theFullestAreForgotten_andNotTheOneThatTries() {
        var buckets = TokenBuckets<Int>(capacity: 4, perSecond: 0.001, keyLimit: 100)
        for _ in 0..<4 { #expect(buckets.take(-1, at: start) == nil) }
        for key in 0..<1000 {
            #expect(buckets.take(key, at: start) == nil)
            #expect(buckets.count <= 101)
        }
        #expect(buckets.take(-1, at: start) != nil)
    }
}
