/// What it means that a node of a cluster has a log in which nothing has ever happened.
package enum EmptyLog: Sendable {
    /// Nobody has said. All other nodes are asked: where nothing has happened anywhere, the cluster begins; where something
    /// has, this node has missed it or lost it, which can't be told apart, and must not vote as if it had never voted.
    case unexplained
    /// Its operator says that it has lost all that it held.
    case lost
    /// All others have said that nothing has happened with them either, or the operator has said so: the cluster begins.
    case beginning
}
