package import Consensus

/// A message between nodes as it goes over a wire, with what the sender knows of the channels.
package struct PeerFrame: Sendable, Equatable {
    package var from: NodeID
    /// The sender has lately got datagrams from the receiver: tells the receiver that its own datagrams get through.
    package var hearsDatagrams: Bool
    package var message: Message

    package init(from: NodeID, hearsDatagrams: Bool, message: Message) {
        self.from = from
        self.hearsDatagrams = hearsDatagrams
        self.message = message
    }
}
