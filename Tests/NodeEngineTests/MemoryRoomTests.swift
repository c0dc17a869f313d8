import Jobboard
import Testing

@testable import NodeEngine

@Suite struct MemoryRoomTests {
    private let post = Command.post(
        board: "b", jobs: [NewJob(name: "n", details: Array("\"\(String(repeating: "x", count: 398))\"".utf8))])
    private let holder = Holder(job: JobID(high: 1, low: 1), who: "w")

    private func room(used: Int, limit: UInt64?) -> MemoryRoom {
        var room = MemoryRoom()
        room.refresh(used: used, limit: limit)
        return room
    }

    @Test func `posts are refused when they would take more than nine tenths, and what is under way counts`() {
        var room = room(used: 84_000, limit: 100_000)
        #expect(!room.isShort)
        var taken = 0
        while taken < 100, room.refusal(of: post) == nil { taken += 1 }
        #expect(taken == 6000 / StateCost.growth(by: post) && room.underWay == UInt64(taken * StateCost.growth(by: post)))
        for _ in 0..<taken { room.settled(post) }
        #expect(room.underWay == 0 && room.isShort, "a refused post begins a shortage")
        room.refresh(used: 84_000, limit: 100_000)
        #expect(!room.isShort && room.refusal(of: post) == nil)
    }

    @Test func `results, failures and follow-ups draw on the reserve, and the rest is always taken`() {
        var room = room(used: 95_000, limit: 100_000)
        let job = NewJob(name: "n")
        let withFollowUp = Command.consume(holder, result: nil, followUps: [job])
        let withResult = Command.consume(holder, result: [0x31], followUps: [])
        let failed = Command.abandon(holder, delayMilliseconds: nil, failure: "f")
        #expect(room.isShort && room.refusal(of: post)?.code == .readOnly)
        for command in [withFollowUp, withResult, failed] { #expect(room.refusal(of: command) == nil) }
        room.refresh(used: 100_000, limit: 100_000)
        for command in [withFollowUp, withResult, failed] { #expect(room.refusal(of: command)?.code == .readOnly) }
        let plain: [Command] = [
            .claim(job: holder.job, who: "w", leaseMilliseconds: nil), .claimNext(ClaimNext(board: "b", who: "w")),
            .extend(holder, leaseMilliseconds: nil), .abandon(holder, delayMilliseconds: nil, failure: nil),
            .consume(holder, result: nil, followUps: []), .closeSession,
        ]
        for command in plain { #expect(room.refusal(of: command) == nil) }
    }

    @Test func `a shortage ends a little below where it began`() {
        var room = room(used: 90_000, limit: 100_000)
        #expect(room.isShort)
        room.refresh(used: 88_000, limit: 100_000)
        #expect(room.isShort && room.refusal(of: post) != nil)
        room.refresh(used: 87_000, limit: 100_000)
        #expect(!room.isShort)
    }

    @Test func `without a limit everything is taken`() {
        var room = room(used: .max >> 1, limit: nil)
        #expect(!room.isShort && room.refusal(of: post) == nil)
    }
}
