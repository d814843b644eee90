import LeatCore
import Testing

@testable import LeatStorage

@Suite struct ColumnCacheTests {
    private static let column = Column.integer(IntegerColumn(values: [1]))

    /// Looks for columns of 10 bytes in order, keeps those that are missing, and says how many were there.
    private static func scan(_ blocks: Range<UInt64>, _ cache: ColumnCache) -> Int {
        blocks.count { block in
            if cache.column(block: block, page: 0) != nil { return true }
            cache.insert(Self.column, block: block, page: 0, byteCount: 10)
            return false
        }
    }

    @Test func theLimitIsKept() {
        let cache = ColumnCache(byteCountMax: 1_000)
        for block in 0..<10_000 as Range<UInt64> {
            cache.insert(Self.column, block: block, page: Int(block % 7), byteCount: Int(block % 40))
            #expect(cache.byteCount <= 1_000)
        }
    }

    @Test func whatFitsIsFoundAgain() {
        let cache = ColumnCache(byteCountMax: 1_000)
        #expect(Self.scan(0..<100, cache) == 0)
        #expect(Self.scan(0..<100, cache) == 100)
    }

    /// A scan of more than there is room for, again and again: the oldest column is always the next that is asked for.
    @Test func aScanOfMoreThanFitsFindsAPart() {
        let cache = ColumnCache(byteCountMax: 1_000)
        for _ in 0..<5 { _ = Self.scan(0..<140, cache) }
        for _ in 0..<5 { #expect(Self.scan(0..<140, cache) > 30) }
    }

    /// What is asked for again and again stays while others pass by once.
    @Test func whatIsUsedAgainStays() {
        let cache = ColumnCache(byteCountMax: 1_000)
        for _ in 0..<3 { _ = Self.scan(0..<50, cache) }
        for start in stride(from: UInt64(1_000), to: 1_400, by: 20) {
            _ = Self.scan(start..<start + 20, cache)
            #expect(Self.scan(0..<50, cache) == 50)
        }
    }

    @Test func theColumnsOfABlockGoWithIt() {
        let cache = ColumnCache(byteCountMax: 1_000)
        _ = Self.scan(0..<10, cache)
        cache.removeAll(block: 3)
        #expect(cache.byteCount == 90)
        #expect(cache.column(block: 3, page: 0) == nil)
    }

    /// Rows that come in take what columns have, down to an eighth, and give it back.
    @Test func columnsMakeRoomForOthers() {
        let cache = ColumnCache(byteCountMax: 1_000, sharedByteCountMax: 1_200)
        _ = Self.scan(0..<100, cache)
        let claim = ColumnCache.Claim(on: cache)
        claim.set(200)
        #expect(cache.byteCount == 1_000)
        claim.set(700)
        #expect((400...500).contains(cache.byteCount))
        claim.set(5_000)
        #expect((100...125).contains(cache.byteCount))
        _ = Self.scan(0..<100, cache)
        #expect((100...125).contains(cache.byteCount))
        claim.set(0)
        _ = Self.scan(0..<100, cache)
        #expect(cache.byteCount == 1_000)
    }

    @Test func aClaimEndsWithItsOwner() {
        let cache = ColumnCache(byteCountMax: 1_000, sharedByteCountMax: 1_200)
        var claims = [ColumnCache.Claim(on: cache), ColumnCache.Claim(on: cache)]
        for claim in claims { claim.set(500) }
        _ = Self.scan(0..<100, cache)
        #expect(cache.byteCount <= 200)
        claims.removeLast()
        _ = Self.scan(0..<100, cache)
        #expect((600...700).contains(cache.byteCount))
    }
}
