/// One thing that can happen in the searched world. Nodes are places, messages are places among those on their way: small,
/// since a search remembers one move for every world.
enum SearchMove: Equatable, Sendable {
    case deliver(UInt8)
    /// It arrives, and will arrive again.
    case repeated(UInt8)
    case lose(UInt8)
    /// The disk says that so many of the oldest writes are durable.
    case complete(UInt8, writes: UInt8)
    /// Time passes until the node's patience ends.
    case timeOut(UInt8)
    /// A leader's next heartbeat is due.
    case beat(UInt8)
    /// A follower asks again for the index that its reads wait for.
    case askAgain(UInt8)
    /// The first node is told that its connection to the second broke.
    case cut(UInt8, UInt8)
    case propose(UInt8)
    case read(UInt8)
    /// The client sends its payload, addressed to the term that the node leads.
    case sendCopy(UInt8)
    /// A copy of the client's arrives.
    case takeCopy(UInt8, SearchClient.Answer)
    /// The process dies and starts again: of what its disk had not promised, so many writes are there nevertheless.
    case crash(UInt8, surviving: UInt8)
    /// The process dies, and its disk keeps the oldest entries alone, and no vote.
    case forget(UInt8, keeping: UInt8)
    /// The first node, which stands aside, is told how the second one stands.
    case hear(UInt8, from: UInt8)
    /// A node takes part again.
    case comeBack(UInt8)
}
