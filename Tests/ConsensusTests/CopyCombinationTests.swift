import Consensus
import Testing

@Suite struct CopyCombinationTests {
    private static let original: [UInt8] = (0..<200).map { UInt8($0 % 17) }

    private static func copy(turning places: [Int], unreadable: [Range<Int>] = [], by mask: UInt8 = 0x40) -> BlockCopy {
        var bytes = original
        for place in places { bytes[place] ^= mask }
        for range in unreadable { for place in range { bytes[place] = 0 } }
        return BlockCopy(bytes: bytes, unreadable: unreadable)
    }

    /// What is found, and how many candidates were tried.
    private static func find(
        _ copies: [BlockCopy], known: [Int: UInt8] = [:], atMost limit: Int = 1 << 16
    ) -> (found: [UInt8]?, tried: Int) {
        var tried = 0
        var last: [UInt8]?
        let found = CopyCombination(copies, 0..<original.count, known: known).find(atMost: limit) { candidate, changedFrom in
            tried += 1
            if let last { #expect(last[..<changedFrom] == candidate[..<changedFrom]) }
            last = candidate
            return candidate == original
        }
        return (found, tried)
    }

    @Test func `three copies that differ in different bytes give the original at the first try`() {
        let copies = [[1, 2, 3], [50, 51], [120, 199]].map { Self.copy(turning: $0) }
        #expect(Self.find(copies) == (Self.original, 1))
    }

    @Test func `two copies are tried in all combinations of the bytes in which they differ`() {
        let copies = [[3, 40, 90], [60, 150]].map { Self.copy(turning: $0) }
        let (found, tried) = Self.find(copies)
        #expect(found == Self.original && tried <= 32)
        #expect(Self.find(copies, atMost: 31).found == nil, "five bytes make 32 candidates")
    }

    @Test func `three copies that all differ in one byte are tried in turn`() {
        let copies = [Self.copy(turning: [7]), Self.copy(turning: [7], by: 2), Self.copy(turning: [9])]
        let (found, tried) = Self.find(copies)
        #expect(found == Self.original && tried <= 3)
    }

    @Test func `sectors that can't be read are taken from the copies that have them`() {
        let copies = [
            Self.copy(turning: [], unreadable: [0..<100]), Self.copy(turning: [150], unreadable: [100..<130]),
            Self.copy(turning: [], unreadable: [130..<140]),
        ]
        let (found, tried) = Self.find(copies)
        #expect(found == Self.original && tried <= 2)
    }

    @Test func `a byte that no copy has is tried with all values, and three such bytes are too many`() {
        #expect(Self.find([Self.copy(turning: [], unreadable: [20..<21])]).found == Self.original)
        #expect(Self.find([Self.copy(turning: [], unreadable: [20..<23])]) == (nil, 0))
    }

    @Test func `a sector that one of two copies lost is taken from the other as a whole`() {
        let copies = [Self.copy(turning: Array(10..<90)), Self.copy(turning: [150])]
        let (found, tried) = Self.find(copies)
        #expect(found == Self.original && tried <= 4)
    }

    @Test func `ranges that adjoin, one lost by each of two copies, are told apart where one goes over into the other`() {
        for border in [11, 50, 89] {
            let copies = [Self.copy(turning: Array(10..<border)), Self.copy(turning: Array(border..<90) + [150])]
            let (found, tried) = Self.find(copies)
            #expect(found == Self.original && tried <= 1000, "at \(border)")
        }
        let copies = [Self.copy(turning: Array(10..<50)), Self.copy(turning: Array(50..<90))]
        #expect(Self.find(copies, atMost: 100).found == nil, "there are 160 candidates")
    }

    @Test func `what is known for certain is not asked of the copies`() {
        let copies = [Self.copy(turning: Array(0..<40)), Self.copy(turning: Array(20..<60))]
        let known = Dictionary(uniqueKeysWithValues: (0..<60).map { ($0, Self.original[$0]) })
        #expect(Self.find(copies, known: known) == (Self.original, 1))
    }

    @Test func `what is known for certain stays so within a range that is taken as a whole`() {
        let copies = [Self.copy(turning: Array(10..<90)), Self.copy(turning: [40, 41, 150])]
        let (found, tried) = Self.find(copies, known: [40: Self.original[40], 41: Self.original[41]])
        #expect(found == Self.original && tried <= 4)
    }

    @Test func `a copy that lacks only what the others agree on counts in a range that is taken as a whole`() {
        let copies = [
            Self.copy(turning: Array(10..<90)), Self.copy(turning: [150], unreadable: [40..<41]),
            Self.copy(turning: [], unreadable: [0..<200]),
        ]
        let (found, tried) = Self.find(copies, known: [40: Self.original[40]])
        #expect(found == Self.original && tried <= 4)
    }

    @Test func `copies that end early or run on behind the block count as far as they go`() {
        var long = Self.copy(turning: [100])
        long.bytes += [9, 9, 9]
        let short = BlockCopy(bytes: Array(Self.original[..<150]))
        let (found, tried) = Self.find([short, long, Self.copy(turning: [120])])
        #expect(found == Self.original && tried == 1)
    }

    @Test func `nothing is found where no combination is the original`() {
        let copies = [Self.copy(turning: [7]), Self.copy(turning: [7])]
        #expect(Self.find(copies).found == nil)
        #expect(Self.find([]).found == nil)
    }
}
